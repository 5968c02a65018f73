/**
 * The requests beyond Open, Update, Get and Close: a handler for each, and the table that finds it.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import {
  DROP,
  FETCH,
  GET,
  HELLO,
  KICK,
  LIST,
  MESSAGE_NAMES,
  type MessageType,
  PING,
  PUT,
  STATS,
  WATCH,
} from "../protocol.ts";
import { parseWatch } from "../wire/requests.ts";
import { statsOf } from "./context.ts";
import { drop, kick, put } from "./entries.ts";
import { greet } from "./greeting.ts";
import { beginWatch, fetch, getPart, list } from "./reading.ts";
import { replyDone, replyJson, type Requester, requireRight } from "./requester.ts";

/** Answers one request. A {@linkcode TrackerError} that it throws ends the session with an error reply. */
type Handler = (session: Requester, payload: Uint8Array) => void;

const HANDLERS: Readonly<Partial<Record<MessageType, Handler>>> = {
  [HELLO]: greet,
  [GET]: getPart,
  [WATCH]: watch,
  [LIST]: list,
  [PING]: ping,
  [STATS]: stats,
  [PUT]: put,
  [DROP]: drop,
  [KICK]: kick,
  [FETCH]: fetch,
};

/**
 * Answers a request other than a permitted Open, Update, Get or Close, which the session handles itself.
 *
 * @param session The session it came in on
 * @param type Its type
 * @param payload What it carries
 * @throws {TrackerError} UNAUTHORIZED, BAD_TYPE on a connection that watches, or the handler's own
 */
export function answerRequest(session: Requester, type: MessageType, payload: Uint8Array): void {
  if (type !== HELLO) requireRight(session, type);
  if (session.watcher !== null && type !== PING) throw watchingError(type);
  HANDLERS[type]?.(session, payload);
}

function watch(session: Requester, payload: Uint8Array): void {
  const watcher = beginWatch(session, session.context.feed, parseWatch(payload), () => session.sendNews());
  replyDone(session.replies);
  session.replies.watcher = watcher;
}

function ping({ context, replies, watcher }: Requester): void {
  if (watcher === null) return replyDone(replies);
  context.events.pong(watcher.revision);
  replies.add(context.events.finish());
}

function stats({ context, replies }: Requester): void {
  replyJson(replies, statsOf(context));
}

function watchingError(type: MessageType): TrackerError {
  const message = `${MESSAGE_NAMES[type]} cannot be sent on a connection that watches`;
  return new TrackerError("BAD_TYPE", `Cannot take message: ${message}`);
}
