/**
 * Making a connection and greeting on it: what a client and each of its watches do whenever they come, and come back.
 *
 * @module
 */

import type { CallOptions } from "./calls.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Duplex } from "../transport/duplex.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Greeting } from "../wire/requests.ts";

/**
 * Makes a connection to the server. It must not take longer than it may, and must stop when the signal is aborted.
 *
 * @param signal Stops it when aborted
 * @param timeout How long it may take, in milliseconds; 0 for as long as it likes
 * @returns The connection
 */
export type Dial = (signal: AbortSignal, timeout: number) => Promise<Duplex>;

/** How a client and its watches connect. */
export interface EstablishOptions {
  dial: Dial;
  connection: ConnectionOptions;
  /** How long each step may take, in milliseconds. */
  timeout: number;
  /** The heartbeat that the client promises, in seconds; 0 for none. */
  heartbeat: number;
}

/**
 * Makes a connection, and says what must be said first.
 *
 * @param options How to connect
 * @param greet Says it; without a Hello the greeting is `null`
 * @param signal Stops it when aborted
 * @returns The connection, with a heartbeat if there is to be one, and the greeting
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
