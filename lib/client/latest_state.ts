/**
 * The state a client was given last: what every connection to come has to bring across.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import { MessageEncoder } from "../codec.ts";
import { TrackerError } from "../errors.ts";
import { type Dialect, OPEN } from "../protocol.ts";
import type { CallOptions } from "./calls.ts";
import type { Connection } from "./connection.ts";

/** The latest state, and whether the server has been told of it. */
export class LatestState {
  readonly #encoder: MessageEncoder;
  #state: Uint8Array | null = null;
  /** How many states there were so far. */
  #version = 0;
  /** The version that the server was told last. */
  #toldVersion = 0;

  /** @param dialect The dialect that has to carry the states */
  constructor(dialect: Dialect | undefined) {
    this.#encoder = new MessageEncoder(dialect);
  }

  /** The dialect that has to carry the states. */
  get dialect(): Dialect {
    return this.#encoder.dialect;
  }

  /** Whether the server was told of the latest state. */
  get isTold(): boolean {
    return this.#toldVersion === this.#version;
  }

  /**
   * Encodes a state, and checks that it can be sent: one that is too long would end the client for good.
   *
   * @param call What the caller does, for an error's message
   * @param state The state
   * @param limit Longest state the server takes, in bytes
   * @returns Its bytes; the caller's own if it is bytes
   * @throws {TrackerError} STATE_TOO_LARGE
   */
  encode(call: string, state: string | Uint8Array, limit: number = Infinity): Uint8Array {
    const bytes = toBytes(state);
    this.#encoder.sizeOf(OPEN, bytes);
    if (bytes.length <= limit) return bytes;
    const why = `${bytes.length} bytes is above the server's limit of ${limit}`;
    throw new TrackerError("STATE_TOO_LARGE", `Cannot ${call}: ${why}`);
  }

  /**
   * Keeps a state for the next connection.
   *
   * @param bytes The state, which must not change any more
   */
  keep(bytes: Uint8Array): void {
    this.#state = bytes;
    this.#version++;
  }

  /**
   * Opens with the latest state, if there is one.
   *
   * @param connection A connection that has not opened yet, or not with this state
   * @param call When to stop waiting
   * @returns Resolves when the server has taken it
   * @throws {TrackerError} As the connection's `open`
   */
  async openOn(connection: Connection, call: CallOptions): Promise<void> {
    const version = this.#version;
    if (this.#state !== null) await connection.open(this.#state, call);
    this.#toldVersion = version;
  }

  /**
   * Sends the latest state if the server was not told of it.
   *
   * @param connection A connection that has opened
   */
  updateOn(connection: Connection): void {
    if (!this.isTold && this.#state !== null) connection.update(this.#state);
  }
}
