/**
 * Who holds which name, and what becomes of a name whose owner's connection has ended.
 *
 * A name is claimed by a Hello and held by one connection at a time. Every claim is an object of its own, and only the
 * latest one of a name counts: whatever an old connection does later, its claim is not the one that is held any more.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../base/deadlines.ts";
import { timingSafeEqual, toBytes } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";
import type { LeaveCause } from "../protocol.ts";
import type { Entry, Registry } from "./registry.ts";

/** Bytes of a resume key. */
const KEY_BYTES = 16;

/** What happened to a name's entry after its connection had ended. */
export type NameEvent =
  | { kind: "suspect"; id: string; cause: LeaveCause }
  | { kind: "resume"; id: string }
  | { kind: "leave"; id: string; cause: LeaveCause };

/** Options for {@linkcode Names.claim}: what a Hello says of the name it asks for. */
export interface ClaimOptions {
  /** How long the entry stays without a connection, in seconds. Default 0. */
  grace?: number;
  /** The key of an earlier claim, which takes the name back from its owner without a leave. */
  resume?: string;
  /** Whether to take the name from a connection that has it. Default `false`. */
  takeover?: boolean;
}

/** The connection that owns a claim. */
export interface ClaimOwner {
  /** Gives the name up to another connection: the client is told TAKEN_OVER, its entry is left as it is. */
  onTakenOver(error: TrackerError): void;
  /** Tells of what happens to the entry, also after the connection has ended. */
  report(event: NameEvent): void;
}

/** A name, held. */
export class Claim {
  /** The name. */
  readonly name: string;
  /** The key by which its client takes it back. */
  readonly key: string;
  /** @internal The connection that holds it, even after that has ended. */
  readonly owner: ClaimOwner;
  /** The entry in the map, if there is one. */
  entry: Entry | null = null;
  /** @internal How long the entry stays without a connection, in milliseconds. */
  readonly grace: number;
  /** @internal While the entry is suspect: what ends that. */
  ending: Deadline | null = null;

  /** @internal {@linkcode Names.claim} makes it. */
  constructor(name: string, key: string, owner: ClaimOwner, grace: number) {
    this.name = name;
    this.key = key;
    this.owner = owner;
    this.grace = grace;
  }
}

/** The names of one server's clients. */
export class Names {
  readonly #registry: Registry;
  readonly #deadlines: Deadlines;
  readonly #maxSuspects: number;
  readonly #claims = new Map<string, Claim>();
  #suspects = 0;

  /**
   * @param registry The map whose entries the names are
   * @param deadlines What ends the grace of those that do not come back
   * @param maxSuspects Most entries that may be without a connection; past that an end is a leave at once
   */
  constructor(registry: Registry, deadlines: Deadlines, maxSuspects: number) {
    this.#registry = registry;
    this.#deadlines = deadlines;
    this.#maxSuspects = maxSuspects;
  }

  /**
   * Claims a name for a connection.
   *
   * @param name The name
   * @param options How it is claimed
   * @param owner The connection
   * @returns The claim; its entry is set if the client was in the map already
   * @throws {TrackerError} NAME_TAKEN when another connection holds the name, and the Hello has no right to it
   */
  claim(name: string, options: ClaimOptions, owner: ClaimOwner): Claim {
    const held = this.#claims.get(name);
    const grace = (options.grace ?? 0) * 1_000;
    if (held === undefined) {
      if (this.#registry.get(name) !== undefined) throw takenError(name);
      return this.#hold(new Claim(name, randomKey(), owner, grace));
    }
    const resumes = options.resume !== undefined && timingSafeEqual(toBytes(options.resume), toBytes(held.key));
    if (held.ending === null && !resumes && options.takeover !== true) throw takenError(name);
    // A key that was not shown is not kept: whoever has it must not take the name from its new owner.
    const claim = new Claim(name, resumes ? held.key : randomKey(), owner, grace);
    this.#hold(claim);
    if (held.ending !== null) this.#revive(held, claim);
    else this.#takeOver(held, claim, resumes);
    return claim;
  }

  /**
   * Gives a name up because its connection has ended. Of a claim that is not the latest nothing is left to give up.
   *
   * @param claim What {@linkcode claim} returned
   * @param cause Why the connection has ended
   */
  release(claim: Claim, cause: LeaveCause): void {
    if (this.#claims.get(claim.name) !== claim) return;
    const stays = claim.entry !== null && claim.grace !== 0 && cause !== "close" && cause !== "shutdown" &&
      this.#suspects < this.#maxSuspects;
    if (stays) this.#suspect(claim, cause);
    else this.#leave(claim, cause);
  }

  /** How many entries are without a connection. */
  get suspects(): number {
    return this.#suspects;
  }

  /** Ends every grace: the server is being stopped. */
  clear(): void {
    for (const claim of [...this.#claims.values()]) {
      if (claim.ending !== null) this.#endGrace(claim, "shutdown");
    }
  }

  #hold(claim: Claim): Claim {
    this.#claims.set(claim.name, claim);
    return claim;
  }

  /** The client is back, or another one has come in its place: it is in the map as if it had never been away. */
  #revive(held: Claim, claim: Claim): void {
    this.#stopGrace(held);
    if (held.entry === null || !this.#registry.mark(held.entry, "live")) return;
    claim.entry = held.entry;
    claim.owner.report({ kind: "resume", id: claim.name });
  }

  /** With its key a client takes over from itself, and nothing shows; without, one client leaves for another. */
  #takeOver(held: Claim, claim: Claim, resumes: boolean): void {
    const { entry, owner } = held;
    held.entry = null;
    if (entry !== null && resumes) {
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
    claim.ending = new Deadline(() => this.#endGrace(claim, cause));
    this.#deadlines.arm(claim.ending, claim.grace);
    claim.owner.report({ kind: "suspect", id: claim.name, cause });
  }

  #endGrace(claim: Claim, cause: LeaveCause): void {
    this.#stopGrace(claim);
    this.#leave(claim, cause);
  }

  #stopGrace(claim: Claim): void {
    claim.ending?.disarm();
    claim.ending = null;
    this.#suspects--;
  }

  #leave(claim: Claim, cause: LeaveCause): void {
    this.#claims.delete(claim.name);
    const { entry } = claim;
    claim.entry = null;
    if (entry === null || !this.#registry.close(entry, cause)) return;
    claim.owner.report({ kind: "leave", id: claim.name, cause });
  }
}

/**
 * Says that a name is not free.
 *
 * @param name The name
 * @returns NAME_TAKEN
 */
export function takenError(name: string): TrackerError {
  return new TrackerError("NAME_TAKEN", `Cannot take name ${name}: somebody else has it`);
}

/** 128 random bits in hexadecimal digits. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
