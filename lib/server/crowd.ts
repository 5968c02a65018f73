/**
 * Connections of which there may be only so many, such as those that have shown no token.
 *
 * @module
 */

import { siteOf } from "../auth/cidr.ts";
import { TrackerError } from "../errors.ts";
import type { SocketAddress } from "../transport/listener.ts";

/** An address that has this fraction of all places makes room for itself, and not at the cost of others. */
const SHARE = 1 / 4;

/** A connection, as far as it matters here. */
interface Stranger {
  /** Where it comes from. */
  readonly peer: SocketAddress;
}

/**
 * Connections that have a limit, in the order in which they came. For one too many another has to go: an address that has
 * a large share makes room for itself, and otherwise the oldest goes.
 */
export class Crowd<T extends Stranger> {
  readonly #limit: number;
  readonly #share: number;
  readonly #all = new Set<T>();
  /** The same by address, each in the order in which they came. */
  readonly #byAddress = new Map<string, Set<T>>();

  /** @param limit Most connections at once, at least 1 */
  constructor(limit: number) {
    this.#limit = limit;
    this.#share = Math.ceil(limit * SHARE);
  }

  /** How many there are. */
  get size(): number {
    return this.#all.size;
  }

  /** All of them, the oldest first. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#all.values();
  }

  /**
   * Adds a connection.
   *
   * @param stranger The connection
   * @returns The one that has to go for it, which is no member any more; `null` if there was room
   */
  add(stranger: T): T | null {
    const site = siteOf(stranger.peer.hostname);
    const ofAddress = this.#byAddress.get(site) ?? new Set();
    const [oldest] = this.#all.size < this.#limit ? [] : ofAddress.size < this.#share ? this.#all : ofAddress;
    if (oldest !== undefined) this.delete(oldest);
    // The set may have lost its last member just now, and its place in the map.
    this.#byAddress.set(site, ofAddress.add(stranger));
    this.#all.add(stranger);
    return oldest ?? null;
  }

  /**
   * Removes a connection.
   *
   * @param stranger The connection
   * @returns `false` if it was no member
   */
  delete(stranger: T): boolean {
    if (!this.#all.delete(stranger)) return false;
    const site = siteOf(stranger.peer.hostname);
    const ofAddress = this.#byAddress.get(site);
    ofAddress?.delete(stranger);
    if (ofAddress?.size === 0) this.#byAddress.delete(site);
    return true;
  }
}

/**
 * The error of a connection that has to go for another.
 *
 * @returns RATE_LIMITED
 */
export function crowdedOutError(): TrackerError {
  const why = "too many others came before it had shown a token";
  return new TrackerError("RATE_LIMITED", `Cannot keep connection: ${why}`);
}
