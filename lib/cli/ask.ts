/**
 * A connection for one question.
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { connect, type ConnectOptions } from "../tcp/connect.ts";
import { type ClientFlags, clientOptions } from "./flags/client_flags.ts";
import { patiently } from "./terminal/patience.ts";

/**
 * Connects as the flags of a command say, asks, and disconnects.
 *
 * @param flags The values of the command's flags
 * @param question Asks
 * @param complete Completes the options that the flags stand for
 * @returns The answer
 */
export async function ask<T>(
  flags: ClientFlags,
  question: (client: Client) => Promise<T>,
  complete: (shared: ConnectOptions) => ConnectOptions = (shared) => shared,
): Promise<T> {
  const options = complete(await clientOptions(flags));
  return await patiently(options, askOnce(options, question));
}

async function askOnce<T>(options: ConnectOptions, question: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(options);
  try {
    return await question(client);
  } finally {
    client.abort();
  }
}
