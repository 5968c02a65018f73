/**
 * Connecting and greeting: what a client and each of its watches do at first, and whenever they come back.
 *
 * @module
 */

import type { Duplex } from "../transport/duplex.ts";
import type { Greeting } from "../wire/requests.ts";
import type { CallOptions } from "./calls.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { Heartbeat } from "./heartbeat.ts";

/**
 * Connects to the server. It must keep the time limit, and stop when the signal is aborted.
 *
 * @param signal Stops it when aborted
 * @param timeout The time limit, in milliseconds; 0 for none
 * @returns The connection
 */
export type Dial = (signal: AbortSignal, timeout: number) => Promise<Duplex>;

/** Options for {@linkcode establish}. */
export interface EstablishOptions {
  /** Connects. */
  dial: Dial;
  /** The connection's dialect and limits. */
  connection: ConnectionOptions;
  /** Time limit of each step, in milliseconds. */
  timeout: number;
  /** The heartbeat that the client promises, in seconds; 0 for none. */
  heartbeat: number;
}

/**
 * Connects, and sends what must come first.
 *
 * @param options How to connect
 * @param greet Sends it; without a Hello the greeting is `null`
 * @param signal Stops it when aborted
 * @returns The connection, kept alive if a heartbeat was agreed on, and the greeting
 * @throws {TrackerError} Whatever went wrong; the connection is closed then
 */
export async function establish(
  options: EstablishOptions,
  greet: (connection: Connection, call: CallOptions) => Promise<Greeting | null>,
  signal: AbortSignal,
): Promise<{ connection: Connection; greeting: Greeting | null }> {
  const connection = new Connection(await options.dial(signal, options.timeout), options.connection);
  try {
    const greeting = await greet(connection, { signal });
    // The server may hold the client to more than it has promised.
    const heartbeat = greeting?.heartbeat || options.heartbeat;
    if (greeting !== null && heartbeat > 0) new Heartbeat(connection, heartbeat * 1_000);
    return { connection, greeting };
  } catch (error) {
    connection.abort();
    await connection.finished;
    throw error;
  }
}
