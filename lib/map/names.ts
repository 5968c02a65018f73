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
import { Graces } from "./graces.ts";
import type { Registry } from "./registry.ts";

/** Length of a resume key before it is written in hexadecimal digits, in bytes. */
const KEY_BYTES = 16;

/** A change of a name's entry that its connection does not make itself. */
export type NameEvent =
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

/** How long a client has been silent, and how long it may be, in milliseconds. */
export interface Silence {
  /** How long nothing has come from it. */
  readonly elapsed: number;
  /** After how much of it the client is given up. */
  readonly limit: number;
}

/** The connection that owns a claim. */
export interface ClaimOwner {
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
  /** @internal Ends the grace of a suspect entry; `null` unless it is suspect. */
  graceDeadline: Deadline | null = null;

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
  #suspects = 0;

  /**
   * @param registry The map that contains the named entries
   * @param deadlines The deadlines that end a grace
   * @param maxSuspects Most names with a grace, whether their connections have ended or not
   */
  constructor(registry: Registry, deadlines: Deadlines, maxSuspects: number) {
    this.#registry = registry;
    this.#deadlines = deadlines;
    this.#graces = new Graces(maxSuspects);
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
   *   there is no place for one. Nothing has changed then.
   */
  claim(name: string, options: ClaimOptions, owner: ClaimOwner): Claim {
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
    const hasGrace = claim.entry !== null && claim.grace !== 0 && cause !== "close" && cause !== "shutdown";
    if (hasGrace) this.#suspect(claim, cause);
    else this.#leave(claim, cause);
  }

  /** How many entries have no connection. */
  get suspects(): number {
    return this.#suspects;
  }

  /** Ends every grace, for a server that stops. */
  clear(): void {
    for (const claim of [...this.#claims.values()]) {
      if (claim.graceDeadline !== null) this.#endGrace(claim, "shutdown");
    }
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
    claim.owner.report({ kind: "resume", id: claim.name });
  }

  /** With its key a client takes over from itself, unnoticed; without it, one client leaves for another. */
  #takeOver(held: Claim, claim: Claim, isResumed: boolean): void {
    const { entry, owner } = held;
    held.entry = null;
    if (entry !== null && isResumed) {
      claim.entry = entry;
    } else if (entry !== null && this.#registry.close(entry, "takeover")) {
      owner.report({ kind: "leave", id: claim.name, cause: "takeover" });
    }
    owner.onTakenOver(
      new TrackerError("TAKEN_OVER", `Cannot keep name ${claim.name}: another connection took it over`),
    );
  }

  #suspect(claim: Claim, cause: LeaveCause): void {
    if (claim.entry === null || !this.#registry.mark(claim.entry, "suspect")) return this.#leave(claim, cause);
    this.#suspects++;
    claim.graceDeadline = new Deadline(() => this.#endGrace(claim, cause));
    this.#deadlines.arm(claim.graceDeadline, claim.grace);
    claim.owner.report({ kind: "suspect", id: claim.name, cause });
  }

  #endGrace(claim: Claim, cause: LeaveCause): void {
    this.#stopGrace(claim);
    this.#leave(claim, cause);
  }

  #stopGrace(claim: Claim): void {
    claim.graceDeadline?.disarm();
    claim.graceDeadline = null;
    this.#suspects--;
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

/**
 * Makes the error for a name that is not free.
 *
 * @param name The name
 * @param silence How long its holder has been silent; `null` where nobody waits for its end
 * @returns A NAME_TAKEN error, which says when its holder will be given up
 */
export function takenError(name: string, silence: Silence | null = null): TrackerError {
  const why = silence === null
    ? ""
    : `, silent for ${seconds(silence.elapsed)}, given up after ${seconds(silence.limit)}`;
  return new TrackerError("NAME_TAKEN", `Cannot take name ${name}: somebody else has it${why}`);
}

function supersededError(name: string): TrackerError {
  return new TrackerError("SUPERSEDED", `Cannot take name ${name}: a later attempt of the same client has it`);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}

/** Compares secrets. */
function isEqual(one: string, other: string): boolean {
  return timingSafeEqual(toBytes(one), toBytes(other));
}
