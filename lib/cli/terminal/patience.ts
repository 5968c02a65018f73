/**
 * Waiting, in front of somebody who waits too.
 *
 * @module
 */

import type { Client } from "../../client/client.ts";
import { connect, type ConnectOptions } from "../../tcp/connect.ts";
import { DEFAULT_PORT } from "../../protocol.ts";
import { formatAddress } from "../../tcp/address.ts";
import { remark } from "./output.ts";

/** How long a wait may be before it needs an explanation, in milliseconds. */
const SHORT = 1_000;

/**
 * Writes down where a client's server is.
 *
 * @param options The client's options
 * @returns Such as `127.0.0.1:6789`
 */
export function serverOf({ hostname = "127.0.0.1", port = DEFAULT_PORT }: ConnectOptions): string {
  return formatAddress({ hostname, port });
}

/**
 * Waits for a server, and after a while tells a person in front of a terminal that this is what it does.
 *
 * @param options Where the server is
 * @param work What to wait for
 * @returns What came of it
 */
export async function patiently<T>(options: ConnectOptions, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => remark(`tracker: waiting for ${serverOf(options)}`), SHORT);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connects, asks, and ends.
 *
 * @param options How to connect
 * @param question What to ask
 * @returns The answer
 */
export function ask<T>(options: ConnectOptions, question: (client: Client) => Promise<T>): Promise<T> {
  return patiently(options, askOnce(options, question));
}

async function askOnce<T>(options: ConnectOptions, question: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(options);
  try {
    return await question(client);
  } finally {
    client.abort();
  }
}
