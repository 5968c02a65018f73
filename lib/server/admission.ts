/**
 * Limits on the connections that a server accepts.
 *
 * @module
 */

import { siteOf } from "../auth/cidr.ts";
import { TrackerError } from "../errors.ts";

/** Limits for {@linkcode Admission}. */
export interface AdmissionLimits {
  /** Most connections at once. */
  readonly maxClients: number;
  /** Most connections at once from one address, of IPv6 from one /64; 0 for no limit. */
  readonly maxPerAddress: number;
  /** Most connections accepted in a second; 0 for no limit. */
  readonly acceptRate: number;
}

/** How many connections may be accepted in one burst, as milliseconds of the accept rate. */
const BURST = 1_000;

/** Counts connections, and finds those that are too many or too early. */
export class Admission {
  readonly #maxClients: number;
  readonly #maxPerAddress: number;
  /** Shortest time between two connections, in milliseconds. */
  readonly #interval: number;
  #dueAt = -Infinity;
  /** Connections from each address, as {@linkcode siteOf} tells them apart; empty where that is not limited. */
  readonly #addresses = new Map<string, number>();

  /** @param limits What it enforces */
  constructor({ maxClients, maxPerAddress, acceptRate }: AdmissionLimits) {
    this.#maxClients = maxClients;
    this.#maxPerAddress = maxPerAddress;
    this.#interval = acceptRate === 0 ? 0 : 1_000 / acceptRate;
  }

  /**
   * Checks a connection against the limits.
   *
   * @param address Where it comes from
   * @param connected How many clients are connected already
   * @returns TOO_MANY_CLIENTS, or `null` when it may come in
   */
  refusalOf(address: string, connected: number): TrackerError | null {
    return this.fullRefusal(connected) ?? this.crowdRefusal(address);
  }

  /** Checks whether there is room for one more client than are connected already. */
  fullRefusal(connected: number): TrackerError | null {
    return connected < this.#maxClients ? null : fullError(`the limit of ${this.#maxClients} is reached`, "clients");
  }

  /** Checks whether there is room for one more connection from an address. */
  crowdRefusal(address: string): TrackerError | null {
    if (this.#maxPerAddress === 0 || (this.#addresses.get(siteOf(address)) ?? 0) < this.#maxPerAddress) return null;
    return fullError(`the limit of ${this.#maxPerAddress} from one address is reached`, "perAddress");
  }

  /** Counts a new connection. */
  enter(address: string): void {
    if (this.#maxPerAddress === 0) return;
    const site = siteOf(address);
    this.#addresses.set(site, (this.#addresses.get(site) ?? 0) + 1);
  }

  /** Counts the end of a connection. */
  leave(address: string): void {
    if (this.#maxPerAddress === 0) return;
    const site = siteOf(address);
    const left = (this.#addresses.get(site) ?? 1) - 1;
    if (left === 0) this.#addresses.delete(site);
    else this.#addresses.set(site, left);
  }

  /**
   * Notes that a connection was accepted.
   *
   * @returns How long the next one must wait in the system's queue, in milliseconds
   */
  pace(): number {
    if (this.#interval === 0) return 0;
    const now = performance.now();
    this.#dueAt = Math.max(this.#dueAt, now - BURST) + this.#interval;
    return Math.max(0, this.#dueAt - now);
  }
}

function fullError(why: string, limit: "clients" | "perAddress"): TrackerError {
  return new TrackerError("TOO_MANY_CLIENTS", `Cannot accept connection: ${why}`, { limit });
}
