/**
 * Ownership of names, and the grace of a name whose connection has ended.
 *
 * A name is claimed by a Hello and held by one connection at a time. Every claim is an object of its own, and only the
 * latest claim of a name counts: whatever an older connection does later, its claim has been superseded.
 *
 * @module
 */

import { randomHex, timingSafeEqual, toBytes } from "../base/bytes.ts";
import { Deadline, type Deadlines } from "../base/deadlines.ts";
import { TrackerError } from "../errors.ts";
import type { LeaveCause } from "../protocol.ts";
import type { Entry } from "./entry.ts";
import { Bans } from "./bans.ts";
import { Graces } from "./graces.ts";
import { overtakenError, requireRevision, type Silence, supersededError, takenError } from "./name_errors.ts";
import type { Holder } from "./holder.ts";
import type { Registry } from "./registry.ts";

/** Length of a resume key before it is written in hexadecimal digits, in bytes. */
const KEY_BYTES = 16;

/** Causes after which nobody is waited for. */
const FINAL_CAUSES: ReadonlySet<LeaveCause> = new Set(["close", "shutdown", "kicked"]);

/** A change of a name's entry that its connection does not make itself. */
export type NameEvent =
  | { kind: "set"; id: string; until: number }
  | { kind: "suspect"; id: string; cause: LeaveCause }
  | { kind: "resume"; id: string }
  | { kind: "leave"; id: string; cause: LeaveCause };

/** Options for {@linkcode Names.claim}, as a Hello gives them. */
export interface ClaimOptions {
  /**
   * How long the entry stays without a connection, in seconds.
   *
   * @default {0}
   */
  grace?: number;
  /** The key of an earlier claim, which takes the name back from its owner without a leave. */
  resume?: string;
  /** What tells the client from others on every connection; takes the name back as the key does. */
  instance?: string;
  /**
   * Number of the connection among those that the client tried: only a higher one takes the name from another.
   *
   * @default {0}
   */
  attempt?: number;
  /**
   * Whether to take the name from a connection that holds it.
   *
   * @default {false}
   */
  takeover?: boolean;
  /**
   * Whom a grace counts for, such as an address and a token.
   *
   * @default {[]}
   */
  holders?: readonly string[];
}

/** Options for {@linkcode Names.put}, as a Put gives them. */
export interface PutOptions {
  /** How long the entry stays, in seconds. */
  for: number;
  /** Whether to take the name from a connection that holds it. */
  takeover?: boolean;
  /** When the Put was made, in milliseconds since 1970, by a clock that can be trusted. */
  issued?: number | undefined;
  /** The revision of the entry that it replaces; 0 for none. */
  if?: number;
  /** Whom the entry counts for, such as an address and a token. */
  holders: readonly string[];
}

/** A state, as a part of some bytes. */
export interface StatePart {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The connection that owns a claim, or that has put an entry. */
export interface ClaimOwner extends Holder {
  /**
   * Called when another connection has taken the name. The entry is no longer the owner's to change.
   *
   * @param error A TAKEN_OVER error for the client
   */
  onTakenOver(error: TrackerError): void;
  /** When the client was last heard and how long it may be silent; `null` where its silence has no limit. */
  readonly silence: Silence | null;
  /** Called when the entry changes, even after the connection has ended. */
  report(event: NameEvent): void;
}

/** One connection's hold on a name. */
export class Claim {
  /** The name. */
  readonly name: string;
  /** The key with which its client takes the name back. */
  readonly key: string;
  /** @internal What tells its client from others; `null` for a client that does not say. */
  readonly instance: string | null;
  /** @internal Number of its connection among those that the client tried. */
  readonly attempt: number;
  /** @internal The connection that holds it, or what reports for it once it has ended. */
  readonly owner: ClaimOwner;
  /** The client's entry, once it has opened. */
  entry: Entry | null = null;
  /** @internal How long the entry stays without a connection, in milliseconds. */
  readonly grace: number;
  /** @internal Whom its grace counts for; `null` without a grace. */
  readonly holders: readonly string[] | null;
  /** @internal Ends the grace of an entry that is suspect, or the time of a detached one; `null` unless it is either. */
  graceDeadline: Deadline | null = null;
  /** @internal When a detached entry was put, by the clock of whoever did; `null` where that is not known. */
  issued: number | null = null;
  /** @internal Whether its entry is meant to be without a connection. */
  isDetached = false;

  /** @internal Made by {@linkcode Names.claim}. */
  constructor(name: string, key: string, owner: ClaimOwner, options: ClaimOptions) {
    const { grace = 0, holders = [], instance = null, attempt = 0 } = options;
    this.name = name;
    this.instance = instance;
    this.attempt = attempt;
    this.key = key;
    this.owner = owner;
    this.grace = grace * 1_000;
    this.holders = this.grace === 0 ? null : holders;
  }
}

/** The names of one server's clients. */
export class Names {
  readonly #registry: Registry;
  readonly #deadlines: Deadlines;
  readonly #graces: Graces;
  readonly #claims = new Map<string, Claim>();
  /** How many entries are suspect. */
  #suspects = 0;
  /** How many are detached. */
  #detached = 0;
  /** Names that are refused for a while. */
  readonly bans: Bans;

  /**
   * @param registry The map that contains the named entries
   * @param deadlines The deadlines that end a grace
   * @param maxSuspects Most names with a grace, whether their connections have ended or not
   */
  constructor(registry: Registry, deadlines: Deadlines, maxSuspects: number) {
    this.#registry = registry;
    this.#deadlines = deadlines;
    this.#graces = new Graces(maxSuspects);
    this.bans = new Bans(deadlines);
  }

  /**
   * Claims a name for a connection.
   *
   * @param name The name
   * @param options What the Hello asks for
   * @param owner The connection
   * @returns The claim; its entry is set if the client is already in the map
   * @throws {TrackerError} NAME_TAKEN if another client holds the name, and the Hello neither shows its key nor asks for a
   *   takeover; SUPERSEDED if a later attempt of the same client holds it; TOO_MANY_CLIENTS if it asks for a grace and
   *   there is no place for one; KICKED while the name is refused. Nothing has changed then.
   */
  claim(name: string, options: ClaimOptions, owner: ClaimOwner): Claim {
    this.bans.check(`name ${name}`);
    const held = this.#claims.get(name);
    if (held === undefined) {
      if (this.#registry.get(name) !== undefined) throw takenError(name);
      return this.#hold(new Claim(name, randomHex(KEY_BYTES), owner, options), null);
    }
    const isSame = options.instance !== undefined && isEqual(options.instance, held.instance ?? "");
    if (isSame && (options.attempt ?? 0) <= held.attempt) throw supersededError(name);
    const isResumed = isSame || options.resume !== undefined && isEqual(options.resume, held.key);
    if (held.graceDeadline === null && !isResumed && options.takeover !== true) {
      throw takenError(name, held.owner.silence);
    }
    // Without the old key there is a new one: clients that know the old key must not take the name from its new owner.
    const claim = this.#hold(new Claim(name, isResumed ? held.key : randomHex(KEY_BYTES), owner, options), held);
    if (held.graceDeadline !== null) this.#revive(held, claim);
    else this.#takeOver(held, claim, isResumed);
    return claim;
  }

  /**
   * Releases a name after its connection has ended. No-op if the claim was superseded.
   *
   * @param claim The claim, as returned by {@linkcode claim}
   * @param cause Why the connection ended
   */
  release(claim: Claim, cause: LeaveCause): void {
    if (this.#claims.get(claim.name) !== claim) return;
    const hasGrace = claim.entry !== null && claim.grace !== 0 && !FINAL_CAUSES.has(cause);
    if (hasGrace) this.#suspect(claim, cause);
    else this.#leave(claim, cause);
  }

  /**
   * Sets an entry without a connection, whole or not at all.
   *
   * @param name Its name
   * @param state Its state
   * @param options What the Put asks for
   * @param owner Hears what becomes of it
   * @returns The entry
   * @throws {TrackerError} NAME_TAKEN if a connected client has the name and there is no takeover; SUPERSEDED if a Put that
   *   was made later is there, or another revision than the one to replace; TOO_MANY_CLIENTS without a place for it; KICKED
   *   while the name is refused. Nothing has changed then.
   */
  put(name: string, state: StatePart, options: PutOptions, owner: ClaimOwner): Entry {
    this.bans.check(`name ${name}`);
    const held = this.#holderFor(name, options.takeover);
    if (options.if !== undefined) requireRevision(name, this.#registry.get(name), options.if);
    if ((options.issued ?? Infinity) < (held?.issued ?? -Infinity)) throw overtakenError(name);
    const claim = new Claim(name, randomHex(KEY_BYTES), owner, { grace: options.for, holders: options.holders });
    claim.issued = options.issued ?? null;
    claim.isDetached = true;
    this.#hold(claim, held);
    if (held !== null && held.graceDeadline !== null) this.#stopGrace(held);
    else if (held !== null) this.#takeOver(held, claim, false);
    // Listeners that are told of the takeover may have given the name away.
    if (this.#claims.get(name) !== claim) throw takenError(name);
    const until = this.#wait(claim, "expired");
    this.#detached++;
    const { bytes, start, end } = state;
    const entry = this.#registry.put(bytes, { id: name, until, start, end, holder: owner });
    claim.entry = entry;
    owner.report({ kind: "set", id: name, until });
    return entry;
  }

  /**
   * Removes a name's entry.
   *
   * @param name The name
   * @param options Whether to take it from a client that has it, and the revision that is meant
   * @returns Whether there was one
   * @throws {TrackerError} NAME_TAKEN or SUPERSEDED as {@linkcode put}
   */
  drop(name: string, options: { takeover?: boolean; if?: number }): boolean {
    const held = this.#holderFor(name, options.takeover);
    const entry = this.#registry.get(name);
    if (held === null) return false;
    if (entry !== undefined && options.if !== undefined) requireRevision(name, entry, options.if);
    if (held.graceDeadline !== null) {
      this.#endGrace(held, "close");
    } else {
      this.#claims.delete(name);
      if (held.holders !== null) this.#graces.release(held.holders);
      this.#takeOver(held, null, false);
    }
    return entry !== undefined;
  }

  /**
   * Ends whoever has a name.
   *
   * @param name The name
   * @param error What to tell the client
   * @returns Whether somebody had it
   */
  kick(name: string, error: TrackerError): boolean {
    const held = this.#claims.get(name);
    if (held === undefined) return false;
    if (held.graceDeadline !== null) this.#endGrace(held, "kicked");
    else held.owner.kick(error);
    return true;
  }

  /** How many entries have lost their connection and are waited for. */
  get suspects(): number {
    return this.#suspects;
  }

  /** How many entries are meant to be without a connection. */
  get detached(): number {
    return this.#detached;
  }

  /** Ends every grace, for a server that stops. */
  clear(): void {
    for (const claim of [...this.#claims.values()]) {
      if (claim.graceDeadline !== null) this.#endGrace(claim, "shutdown");
    }
  }

  /** Finds who has a name that is to be set or dropped, and may lose it. */
  #holderFor(name: string, takeover = false): Claim | null {
    const held = this.#claims.get(name) ?? null;
    const entry = this.#registry.get(name);
    // The program that runs the server may have entries of its own.
    if (entry !== undefined && entry !== held?.entry) throw takenError(name);
    if (held !== null && held.graceDeadline === null && !takeover) throw takenError(name, held.owner.silence);
    return held;
  }

  /** Makes a claim the one that counts, if there is a place for its grace. */
  #hold(claim: Claim, before: Claim | null): Claim {
    const [given, wanted] = [before?.holders ?? null, claim.holders];
    if (given !== null && wanted !== null) this.#graces.exchange(given, wanted);
    else if (wanted !== null) this.#graces.reserve(wanted);
    else if (given !== null) this.#graces.release(given);
    this.#claims.set(claim.name, claim);
    return claim;
  }

  /** The client is back, or another one has come in its place: its entry goes on as if it had never been away. */
  #revive(held: Claim, claim: Claim): void {
    this.#stopGrace(held);
    if (held.entry === null || !this.#registry.mark(held.entry, "live")) return;
    claim.entry = held.entry;
    this.#registry.assignTo(held.entry, claim.owner);
    claim.owner.report({ kind: "resume", id: claim.name });
  }

  /** With its key a client takes over from itself, unnoticed; without it, one client leaves for another. */
  #takeOver(held: Claim, claim: Claim | null, isResumed: boolean): void {
    const { entry, owner } = held;
    held.entry = null;
    if (entry !== null && claim !== null && isResumed) {
      claim.entry = entry;
      this.#registry.assignTo(entry, claim.owner);
    } else if (entry !== null && this.#registry.close(entry, "takeover")) {
      owner.report({ kind: "leave", id: held.name, cause: "takeover" });
    }
    owner.onTakenOver(
      new TrackerError("TAKEN_OVER", `Cannot keep name ${held.name}: another connection took it over`),
    );
  }

  #suspect(claim: Claim, cause: LeaveCause): void {
    const until = this.#registry.now + claim.grace;
    if (claim.entry === null || !this.#registry.mark(claim.entry, "suspect", until)) return this.#leave(claim, cause);
    this.#suspects++;
    this.#wait(claim, cause);
    claim.owner.report({ kind: "suspect", id: claim.name, cause });
  }

  /** Begins the time for which an entry stays without a connection, and returns its end. */
  #wait(claim: Claim, cause: LeaveCause): number {
    claim.graceDeadline = new Deadline(() => this.#endGrace(claim, cause));
    this.#deadlines.arm(claim.graceDeadline, claim.grace);
    return this.#registry.now + claim.grace;
  }

  #endGrace(claim: Claim, cause: LeaveCause): void {
    this.#stopGrace(claim);
    this.#leave(claim, cause);
  }

  #stopGrace(claim: Claim): void {
    claim.graceDeadline?.disarm();
    claim.graceDeadline = null;
    if (claim.isDetached) this.#detached--;
    else this.#suspects--;
  }

  #leave(claim: Claim, cause: LeaveCause): void {
    this.#claims.delete(claim.name);
    if (claim.holders !== null) this.#graces.release(claim.holders);
    const { entry } = claim;
    claim.entry = null;
    if (entry === null || !this.#registry.close(entry, cause)) return;
    claim.owner.report({ kind: "leave", id: claim.name, cause });
  }
}

/** Compares secrets. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(toBytes(one), toBytes(other));
}
