/**
 * The requests beyond Open, Update, Get and Close: a handler for each, and the table that finds it.
 *
 * @module
 */

import { mayWrite, unauthorized } from "../auth/access.ts";
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
  OPEN,
  PING,
  PUT,
  STATS,
  UPDATE,
  WATCH,
} from "../protocol.ts";
import { parseWatch } from "../wire/requests.ts";
import { statsOf } from "./context.ts";
import { drop, kick, put } from "./entries.ts";
import { greet } from "./greeting.ts";
import { fetch, getPart, list, narrowed } from "./reading.ts";
import { replyDone, replyJson, type Requester } from "./requester.ts";

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

/** Requests that change the map. */
const WRITING: ReadonlySet<MessageType> = new Set([OPEN, UPDATE, PUT, DROP, KICK]);

/**
 * Answers a request other than a permitted Open, Update, Get or Close, which the session handles itself.
 *
 * @param session The session it came in on
 * @param type Its type
 * @param payload What it carries
 * @throws {TrackerError} UNAUTHORIZED, BAD_TYPE on a connection that watches, or the handler's own
 */
export function answerRequest(session: Requester, type: MessageType, payload: Uint8Array): void {
  if (type !== HELLO) authorize(session, type);
  if (session.watcher !== null && type !== PING) throw watchingError(type);
  HANDLERS[type]?.(session, payload);
}

/** Checks the client's rights: without a token it may ask for nothing, and with one for reading it may change nothing. */
function authorize({ permission }: Requester, type: MessageType): void {
  if (permission === "none") throw strangerError();
  if (WRITING.has(type) && !mayWrite(permission)) throw unauthorized("the token is for reading");
  if (type === KICK && permission !== "admin") throw unauthorized("the token does not allow ending others");
}

/**
 * The error of a client that sends anything but a Hello before it has shown a token.
 *
 * @returns UNAUTHORIZED
 */
export function strangerError(): TrackerError {
  return unauthorized("a connection has to begin with a Hello that has a token");
}

function watch(session: Requester, payload: Uint8Array): void {
  const request = parseWatch(payload);
  const { feed, maxWatchers } = session.context;
  if (feed.size >= maxWatchers) {
    const message = `Cannot watch: the limit of ${maxWatchers} watchers is reached`;
    throw new TrackerError("TOO_MANY_CLIENTS", message, { limit: "watchers" });
  }
  const prefix = narrowed(session, request.prefix);
  if (prefix === null) throw unauthorized("the token is bound to identifiers of another beginning");
  replyDone(session.replies);
  session.replies.watcher = feed.watch({ ...request, prefix }, () => session.sendNews());
}

function ping({ context, replies, watcher }: Requester): void {
  if (watcher === null) return replyDone(replies);
  context.events.pong(watcher.revision);
  replies.add(context.events.finish());
}

function stats({ context, grant, replies }: Requester): void {
  if (grant?.prefix !== undefined) throw unauthorized("the token is bound to a part of the map");
  replyJson(replies, statsOf(context));
}

function watchingError(type: MessageType): TrackerError {
  const message = `${MESSAGE_NAMES[type]} cannot be sent on a connection that watches`;
  return new TrackerError("BAD_TYPE", `Cannot take message: ${message}`);
}
