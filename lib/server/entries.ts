/**
 * Entries without a connection, and the end of others' connections: the answers to a Put, a Drop and a Kick.
 *
 * @module
 */

import { siteOf } from "../auth/cidr.ts";
import type { Grant } from "../auth/tokens.ts";
import { TrackerError } from "../errors.ts";
import type { Entry } from "../map/entry.ts";
import type { ClaimOwner, NameEvent, StatePart } from "../map/names.ts";
import { CLOCK_TOLERANCE, type Dialect, NAME_PATTERN } from "../protocol.ts";
import { formatAddress, hostOf, type SocketAddress } from "../transport/listener.ts";
import {
  type DropRequest,
  type KickRequest,
  parseDrop,
  parseKick,
  parsePut,
  type PutRequest,
} from "../wire/entry_requests.ts";
import type { SessionContext } from "./context.ts";
import type { EventObserver } from "./events.ts";
import { holdersOf } from "./greeting.ts";
import { requireRoom } from "./presence.ts";
import { type Actor, replyDone, replyJson, type Requester, requireUnder } from "./requester.ts";

/** Whoever has put an entry. It does not keep the session, whose connection ends long before the entry does. */
class PutOwner implements ClaimOwner {
  readonly silence = null;
  readonly dialect: Dialect | "unsettled";
  readonly #observer: EventObserver;
  readonly #peer: SocketAddress;
  readonly #grant: Grant | null;

  constructor({ observer, peer, dialect, grant }: Actor) {
    this.#observer = observer;
    this.#peer = peer;
    this.dialect = dialect;
    this.#grant = grant;
  }

  get address(): string {
    return formatAddress(this.#peer);
  }

  get token(): string | null {
    return this.#grant?.name ?? null;
  }

  onTakenOver(): void {}

  kick(): void {}

  report(event: NameEvent): void {
    this.#observer.onEvent?.(this.#peer, event);
  }
}

/** Answers a Put. */
export function put(session: Requester, payload: Uint8Array): void {
  const { request, stateStart } = parsePut(payload);
  const { revision, until } = putEntry(session, request, { bytes: payload, start: stateStart, end: payload.length });
  if (!session.isOpen) return;
  replyDone(session.replies);
  replyJson(session.replies, { id: request.name, revision, until });
}

/**
 * Sets an entry without a connection.
 *
 * @param actor Whoever does
 * @param request Which one, and how
 * @param state Its state
 * @returns The entry
 * @throws {TrackerError} UNAUTHORIZED if that is beyond the token's prefix; TOO_MUCH_STATE; and as `Names.put` does
 */
export function putEntry(actor: Actor, request: PutRequest, state: StatePart): Entry {
  const { context } = actor;
  const { name, issued } = request;
  requireUnder(actor, name);
  requireRoom(context, state.end - state.start, context.registry.get(name) ?? null);
  const isTrusted = issued !== undefined && Math.abs(issued - context.registry.now) <= CLOCK_TOLERANCE;
  const options = { ...request, issued: isTrusted ? issued : undefined, holders: holdersOf(actor) };
  return context.names.put(name, state, options, new PutOwner(actor));
}

/** Answers a Drop. */
export function drop(session: Requester, payload: Uint8Array): void {
  replyRemoval(session, dropEntry(session, parseDrop(payload)));
}

/**
 * Removes an entry.
 *
 * @param actor Whoever does
 * @param request Which one
 * @returns Whether there was one
 * @throws {TrackerError} UNAUTHORIZED if that is beyond the token's prefix; and as `Names.drop` does
 */
export function dropEntry(actor: Actor, { name, ...options }: DropRequest): boolean {
  requireUnder(actor, name);
  return actor.context.names.drop(name, options);
}

/** Answers a Kick. */
export function kick(session: Requester, payload: Uint8Array): void {
  const request = parseKick(payload);
  requireUnder(session, request.id);
  replyRemoval(session, kickClient(session.context, request));
}

/** A client may have ended itself. */
function replyRemoval({ isOpen, replies }: Requester, was: boolean): void {
  if (!isOpen) return;
  replyDone(replies);
  replyJson(replies, { was });
}

/**
 * Ends a client, and refuses it for a while: a name by its name, a numbered client by its address.
 *
 * @param context Where it is
 * @param request Which client, for how long, and what to tell it
 * @returns Whether there was one
 * @throws {TrackerError} TOO_MANY_CLIENTS when too many are being refused already; then nothing has happened
 */
export function kickClient({ names, registry }: SessionContext, request: KickRequest): boolean {
  const { id, for: seconds = 0, reason = "the server's administrator has ended it" } = request;
  const error = new TrackerError("KICKED", `Cannot keep client: ${reason}`);
  const entry = registry.get(id);
  const holder = entry?.holder ?? null;
  const isNamed = NAME_PATTERN.test(id);
  if (isNamed) names.bans.add(`name ${id}`, seconds);
  else if (holder !== null) names.bans.add(`address ${siteOf(hostOf(holder.address))}`, seconds);
  if (isNamed && names.kick(id, error)) return true;
  if (entry === undefined) return false;
  // The program that runs the server may have entries of its own.
  if (holder === null) registry.close(entry, "kicked");
  else holder.kick(error);
  return true;
}
