/**
 * How much of a map a program is willing to keep.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** What a client in a map takes besides its identifier and state, in bytes, at least. */
const CLIENT_OVERHEAD = 128;

/** A client in a map. */
export interface SizedClient {
  /** Its identifier. */
  readonly id: string;
  /** Its state. */
  readonly state: Uint8Array;
}

/** Adds up what the clients of a map take. The map is another program's: it may be endless. */
export class MapSize {
  readonly #limit: number;
  #bytes = 0;

  /** @param limit Most bytes of all clients together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Notes that a client has come, changed or gone.
   *
   * @param before What it was; `null` if it is new
   * @param after What it is; `null` if it has gone
   * @throws {TrackerError} REPLY_TOO_LARGE when all clients together are above the limit
   */
  replace(before: SizedClient | null | undefined, after: SizedClient | null | undefined): void {
    this.#bytes += sizeOf(after) - sizeOf(before);
    if (this.#bytes <= this.#limit) return;
    const why = `it would take more than ${this.#limit} bytes; raise maxMap to accept it`;
    throw new TrackerError("REPLY_TOO_LARGE", `Cannot keep map: ${why}`);
  }

  /** Notes that all clients have gone. */
  clear(): void {
    this.#bytes = 0;
  }
}

function sizeOf(client: SizedClient | null | undefined): number {
  return client === null || client === undefined ? 0 : CLIENT_OVERHEAD + client.id.length + client.state.length;
}
