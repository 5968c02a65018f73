/**
 * The requests beyond Open, Update, Get and Close: a handler for each, and the table that finds it.
 *
 * @module
 */

import { grantOf, unauthorized } from "../auth/access.ts";
import { siteOf } from "../auth/cidr.ts";
import type { Permission } from "../auth/tokens.ts";
import { encodeMapLength, MAP_LENGTH_SIZE } from "../wire/replies.ts";
import { TrackerError } from "../errors.ts";
import type { Watcher } from "../feed/watcher.ts";
import {
  DONE,
  EDITION,
  HEARTBEAT_PATIENCE,
  HELLO,
  LIST,
  MESSAGE_NAMES,
  type MessageType,
  OPEN,
  PING,
  STATS,
  UPDATE,
  WATCH,
} from "../protocol.ts";
import { encodeJson } from "../wire/json.ts";
import { ListPieces } from "../wire/list_pieces.ts";
import { type Greeting, type HelloRequest, parseHello, parseList, parseWatch } from "../wire/requests.ts";
import type { SocketAddress } from "../transport/listener.ts";
import { VERSION } from "../version.ts";
import { type SessionContext, statsOf } from "./context.ts";
import type { Presence } from "./presence.ts";
import type { ReplyWriter } from "./reply_writer.ts";
import type { SessionTimers } from "./session_timers.ts";

/** The session that a request came in on, as its handler sees it. */
export interface Requester {
  /** What all sessions share. */
  readonly context: SessionContext;
  /** The client's place in the map. */
  readonly presence: Presence;
  /** Where replies go. */
  readonly replies: ReplyWriter;
  /** Whether enough replies have gathered to be written before more are made. */
  readonly hasFullOutput: boolean;
  /** The session's timers. */
  readonly timers: SessionTimers;
  /** Whether the client may still be in the map. A handler can end that. */
  readonly isOpen: boolean;
  /** What the client may do. */
  readonly permission: Permission | "none";
  /** Where the client is. */
  readonly peer: SocketAddress;
  /** The watcher that tells it of changes; `null` until the client watches. */
  readonly watcher: Watcher | null;
  /** Sends the frames of the watcher, unless a write is under way. */
  sendNews(): void;
  /**
   * Lets the client in, as its token allows.
   *
   * @param permission What it allows
   * @throws {TrackerError} TOO_MANY_CLIENTS
   */
  authorize(permission: Permission): void;
}

/** Answers one request. A {@linkcode TrackerError} that it throws ends the session with an error reply. */
type Handler = (session: Requester, payload: Uint8Array) => void;

const HANDLERS: Readonly<Partial<Record<MessageType, Handler>>> = {
  [HELLO]: greet,
  [WATCH]: watch,
  [LIST]: list,
  [PING]: ping,
  [STATS]: stats,
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
  if (type !== HELLO) authorize(session, type);
  if (session.watcher !== null && type !== PING) throw watchingError(type);
  HANDLERS[type]?.(session, payload);
}

/** Checks the client's rights: without a token it may ask for nothing, and with one for reading it may not enter the map. */
function authorize({ permission }: Requester, type: MessageType): void {
  if (permission === "none") throw strangerError();
  if (permission === "read" && (type === OPEN || type === UPDATE)) throw unauthorized("the token is for reading");
}

/**
 * The error of a client that sends anything but a Hello before it has shown a token.
 *
 * @returns UNAUTHORIZED
 */
export function strangerError(): TrackerError {
  return unauthorized("a connection has to begin with a Hello that has a token");
}

function greet(session: Requester, payload: Uint8Array): void {
  const request = parseHello(payload);
  const { rules } = session.context;
  const grant = rules !== null && session.permission === "none" ? grantOf(rules, request.token) : null;
  if (grant !== null) session.authorize(grant.access);
  if (rules !== null) session.timers.disarm("handshake");
  if (session.permission === "read" && request.name !== undefined) throw unauthorized("the token is for reading");
  if (request.name !== undefined) {
    const holders = [`address (${siteOf(session.peer.hostname)})`, ...grant === null ? [] : [`token (${grant.name})`]];
    session.presence.claimName(request.name, { ...request, holders });
  }
  if (!session.isOpen) return;
  if (request.heartbeat !== undefined) {
    session.timers.patience = request.heartbeat * 1_000 * HEARTBEAT_PATIENCE;
    session.timers.arm("heartbeat");
  }
  replyDone(session.replies);
  replyJson(session.replies, greetingFor(session, request));
}

function greetingFor({ context, presence }: Requester, { name, heartbeat = 0, grace = 0 }: HelloRequest): Greeting {
  const claim = name === undefined ? null : presence.claim;
  return {
    server: "tracker",
    version: VERSION,
    incarnation: context.registry.incarnation,
    id: claim?.name ?? null,
    resume: claim?.key ?? null,
    heartbeat,
    grace: claim === null ? 0 : grace,
    maxState: context.maxState,
    edition: EDITION,
  };
}

function watch(session: Requester, payload: Uint8Array): void {
  const request = parseWatch(payload);
  const { feed, maxWatchers } = session.context;
  if (feed.size >= maxWatchers) {
    const message = `Cannot watch: the limit of ${maxWatchers} watchers is reached`;
    throw new TrackerError("TOO_MANY_CLIENTS", message, { limit: "watchers" });
  }
  replyDone(session.replies);
  session.replies.watcher = feed.watch(request, () => session.sendNews());
}

function list({ context: { lists, registry }, replies }: Requester, payload: Uint8Array): void {
  const { prefix = "" } = parseList(payload);
  // Asking for nobody is the cheapest way to keep a server busy, so it gets no more than it takes.
  if (registry.countWith(prefix) === 0) {
    lists.begin(registry.revision);
    return replies.add(lists.finish());
  }
  const pieces = new ListPieces(lists, registry.select(prefix));
  replies.add(pieces.whole() ?? pieces);
}

function ping({ context, replies, watcher }: Requester): void {
  if (watcher === null) return replyDone(replies);
  context.events.pong(watcher.revision);
  replies.add(context.events.finish());
}

function stats({ context, replies }: Requester): void {
  replyJson(replies, statsOf(context));
}

/** Adds the one-byte reply to a request that is done. */
export function replyDone({ gathered }: ReplyWriter): void {
  gathered.reserve(1);
  gathered.bytes[gathered.length++] = DONE;
}

function replyJson({ gathered }: ReplyWriter, value: object): void {
  const json = encodeJson(value);
  gathered.reserve(MAP_LENGTH_SIZE);
  gathered.length = encodeMapLength(gathered.bytes, gathered.length, json.length, "wide");
  gathered.append(json);
}

function watchingError(type: MessageType): TrackerError {
  const message = `${MESSAGE_NAMES[type]} cannot be sent on a connection that watches`;
  return new TrackerError("BAD_TYPE", `Cannot take message: ${message}`);
}
