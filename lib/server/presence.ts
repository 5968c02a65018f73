/**
 * A client's place in the map.
 *
 * @module
 */

import { unauthorized } from "../auth/access.ts";
import type { Grant } from "../auth/tokens.ts";
import { TrackerError } from "../errors.ts";
import { type Silence, takenError } from "../map/name_errors.ts";
import type { Claim, ClaimOptions, ClaimOwner, NameEvent, Names } from "../map/names.ts";
import type { Entry } from "../map/entry.ts";
import type { Registry } from "../map/registry.ts";
import type { Dialect, LeaveCause } from "../protocol.ts";
import type { Counters } from "./counters.ts";
import { formatAddress, type SocketAddress } from "../transport/listener.ts";
import type { EventObserver, SessionEvent } from "./events.ts";

/** What the clients of all sessions share. */
export interface PresenceContext {
  /** The map. */
  readonly registry: Registry;
  /** The names that clients hold. */
  readonly names: Names;
  /** Counts the ghosts. */
  readonly counters: Counters;
  /** Most bytes of all states together. */
  readonly maxTotalState: number;
}

/** The session that a {@linkcode Presence} belongs to. */
export interface PresenceOwner {
  /** What it shares with other sessions. */
  readonly context: PresenceContext;
  /** Whether the client may still be in the map. */
  readonly isOpen: boolean;
  /** Ends the session with an error reply. */
  close(error: TrackerError): void;
  /** Reports what happens to the client, also after the session has ended. */
  report(event: SessionEvent): void;
  /** Hears what happens. */
  readonly observer: EventObserver;
  /** Where the client is. */
  readonly peer: SocketAddress;
  /** The dialect that the client speaks. */
  readonly dialect: Dialect | "unsettled";
  /** What the client's token allows; `null` without one. */
  readonly grant: Grant | null;
  /** Knows how long the client has been silent, where that has a limit. */
  readonly timers: { readonly silence: Silence | null };
}

/** What is left of a session whose client is in its grace: what it takes to report, without the buffers. */
class DetachedOwner implements PresenceOwner {
  readonly context: PresenceContext;
  readonly observer: EventObserver;
  readonly peer: SocketAddress;
  readonly isOpen = false;
  readonly timers = { silence: null };
  readonly dialect: Dialect | "unsettled";
  readonly grant: Grant | null;

  constructor({ context, observer, peer, dialect, grant }: PresenceOwner) {
    this.context = context;
    this.observer = observer;
    this.peer = peer;
    this.dialect = dialect;
    this.grant = grant;
  }

  close(): void {}

  report(event: SessionEvent): void {
    this.observer.onEvent?.(this.peer, event);
  }
}

/** Causes of leaves without a message from the client: until then it was in the map as a ghost. */
const UNCLEAN_CAUSES: ReadonlySet<LeaveCause> = new Set(["disconnect", "timeout"]);

/** The entry and the name of one session's client. */
export class Presence implements ClaimOwner {
  #owner: PresenceOwner;
  #entry: Entry | null = null;
  #claim: Claim | null = null;
  /** When the client was last heard, on the monotonic clock, in whole milliseconds; set when it claims a name and when it leaves. */
  #heardAt = 0;

  /** @param owner The session it belongs to */
  constructor(owner: PresenceOwner) {
    this.#owner = owner;
  }

  /** The client's name and the key to take it back with; `null` without a name. */
  get claim(): Pick<Claim, "name" | "key"> | null {
    return this.#claim;
  }

  /**
   * Claims a name for the client.
   *
   * @param name The name
   * @param options How it is claimed
   * @throws {TrackerError} NAME_TAKEN, SUPERSEDED, KICKED, or TOO_MANY_CLIENTS if there is no place for its grace
   */
  claimName(name: string, options: ClaimOptions): void {
    const { names } = this.#owner.context;
    // The claim may be released at once, before the client leaves in the ordinary way.
    this.#heardAt = Math.trunc(performance.now());
    const claim = names.claim(name, options, this);
    // Listeners that are told of the takeover or the return may have ended this session.
    if (!this.#owner.isOpen) return names.release(claim, "disconnect");
    this.#claim = claim;
    this.#entry = claim.entry;
  }

  /**
   * Sets the client's state; the first one enters it in the map.
   *
   * @param bytes Where the state is
   * @param start Its first byte
   * @param end The offset after its last byte
   * @throws {TrackerError} TOO_MUCH_STATE, NAME_TAKEN, or UNAUTHORIZED, and the map stays as it was
   */
  setState(bytes: Uint8Array, start: number, end: number): void {
    const { registry, maxTotalState } = this.#owner.context;
    if (registry.stateBytes + end - start > maxTotalState) this.#requireRoom(end - start);
    if (this.#entry !== null && registry.update(this.#entry, bytes, start, end)) return;
    this.#enter(bytes, start, end);
  }

  /** Where the client is, or was last. */
  get address(): string {
    return formatAddress(this.#owner.peer);
  }

  /** The dialect that the client speaks. */
  get dialect(): Dialect | "unsettled" {
    return this.#owner.dialect;
  }

  /** The name of the client's token. */
  get token(): string | null {
    return this.#owner.grant?.name ?? null;
  }

  /** Ends the client's connection. */
  kick(error: TrackerError): void {
    this.#owner.close(error);
  }

  /** @internal How long the client has been silent, where that has a limit; else `null`. */
  get silence(): Silence | null {
    return this.#owner.timers.silence;
  }

  /** @internal Called when another connection has taken the name, and the entry with it. */
  onTakenOver(error: TrackerError): void {
    this.#entry = null;
    this.#claim = null;
    this.#owner.close(error);
  }

  /** @internal Reports what happens to the entry, also after the session has ended. */
  report(event: NameEvent): void {
    if (event.kind === "leave" && UNCLEAN_CAUSES.has(event.cause)) {
      this.#owner.context.counters.countGhost(performance.now() - this.#heardAt);
    }
    this.#owner.report(event);
  }

  /**
   * Takes the client out of the map, or leaves it there for its grace. Doing it again is safe.
   *
   * @param cause Why
   * @param silence How long it had not been heard, in milliseconds
   */
  leave(cause: LeaveCause, silence: number): void {
    const claim = this.#claim;
    const entry = this.#entry;
    if (claim === null && entry === null) return;
    this.#heardAt = Math.trunc(performance.now() - silence);
    this.#claim = null;
    this.#entry = null;
    if (claim !== null) {
      this.#owner.context.names.release(claim, cause);
      // In its grace the claim keeps this, but must not keep the session and its buffers.
      if (claim.graceDeadline !== null) this.#owner = new DetachedOwner(this.#owner);
    } else if (entry !== null && this.#owner.context.registry.close(entry, cause)) {
      this.report({ kind: "leave", id: entry.id, cause });
    }
  }

  #enter(bytes: Uint8Array, start: number, end: number): void {
    const { registry } = this.#owner.context;
    const id = this.#claim?.name;
    if (id === undefined && this.#owner.grant?.prefix !== undefined) throw unauthorized("the token takes a name");
    if (id !== undefined && registry.get(id) !== undefined) throw takenError(id);
    const entry = registry.open(bytes, { start, end, holder: this, ...id !== undefined && { id } });
    // Listeners that are told of the join may have ended this session.
    if (!this.#owner.isOpen) return void registry.close(entry, "disconnect");
    this.#entry = entry;
    if (this.#claim !== null) this.#claim.entry = entry;
    this.#owner.report({ kind: "join", id: entry.id, dialect: this.#owner.dialect });
  }

  #requireRoom(length: number): void {
    const { context } = this.#owner;
    // Only an entry that is still in the map makes room.
    const isInMap = this.#entry !== null && context.registry.get(this.#entry.id) === this.#entry;
    requireRoom(context, length, isInMap ? this.#entry : null);
  }
}

/**
 * Refuses a state that does not fit. One that shrinks always fits.
 *
 * @param context The map and its limit
 * @param length The state's length, in bytes
 * @param replaced The entry whose state it replaces
 * @throws {TrackerError} TOO_MUCH_STATE
 */
export function requireRoom(
  { registry, maxTotalState }: PresenceContext,
  length: number,
  replaced: Entry | null,
): void {
  const before = replaced?.stateLength ?? 0;
  if (replaced !== null && length <= before || registry.stateBytes - before + length <= maxTotalState) return;
  const why = `all states together would be above the limit of ${maxTotalState} bytes`;
  throw new TrackerError("TOO_MUCH_STATE", `Cannot take state: ${why}`);
}
