/**
 * The generator's connections.
 *
 * @module
 */

import type { ConnectJob, JobBytes } from "./job.ts";
import { close, connect, receiveWaiting, sendAll } from "./libc.ts";

/** One open connection. */
export interface Connection {
  readonly descriptor: number;
  /** The number it sends in place of `#####`. */
  readonly number: number;
}

/** Buffer for replies; they are not inspected, so one serves all connections. */
export const scratch: Uint8Array<ArrayBuffer> = new Uint8Array(1 << 20);

const MARK = "#".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const DIGITS = 5;

/** Connections to open before waiting for their replies: fewer than any server's queue holds. */
const WAVE = 64;

/**
 * Fills in a connection's number in the bytes of a job.
 *
 * @param bytes The job's bytes
 * @param number The connection's number
 * @returns The bytes with the number in place of `#####`
 */
export function personalize(bytes: JobBytes, number: number): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(bytes);
  for (let at = markOf(result, 0); at !== -1; at = markOf(result, at)) {
    let rest = number;
    for (let i = DIGITS - 1; i >= 0; i--) {
      result[at + i] = ZERO + rest % 10;
      rest = Math.floor(rest / 10);
    }
  }
  return result;
}

/** Whether the bytes differ between connections. */
export function isPersonal(bytes: JobBytes): boolean {
  return markOf(Uint8Array.from(bytes), 0) !== -1;
}

function markOf(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(MARK, from); at !== -1; at = bytes.indexOf(MARK, at + 1)) {
    if (bytes.subarray(at, at + DIGITS).every((byte) => byte === MARK) && at + DIGITS <= bytes.length) return at;
  }
  return -1;
}

/**
 * Opens a job's connections.
 *
 * @param job Number of connections, and their first message
 * @returns The connections, each with its first message answered
 */
export function openConnections(job: ConnectJob): Connection[] {
  const connections: Connection[] = [];
  for (let opened = 0; opened < job.count; opened += WAVE) {
    const wave: Connection[] = [];
    for (let i = opened; i < Math.min(opened + WAVE, job.count); i++) {
      const connection = { descriptor: connect(job.port), number: job.first + i };
      sendAll(connection.descriptor, personalize(job.prelude, connection.number));
      wave.push(connection);
    }
    for (const connection of wave) receiveAll(connection.descriptor, job.reply);
    connections.push(...wave);
  }
  return connections;
}

/**
 * Waits for a reply of known size.
 *
 * @param descriptor The socket
 * @param size How many bytes to wait for
 */
export function receiveAll(descriptor: number, size: number): void {
  for (let received = 0; received < size;) {
    const count = receiveWaiting(descriptor, scratch);
    if (count === 0) throw new Error("Cannot receive: the server has closed the connection");
    received += count;
    if (received > size) throw new Error(`Cannot understand reply: ${received} bytes instead of ${size}`);
  }
}

/** Closes the connections. */
export function closeConnections(connections: readonly Connection[]): void {
  for (const { descriptor } of connections) close(descriptor);
}
