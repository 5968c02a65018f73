/**
 * Tokens that may be replaced while a client runs.
 *
 * @module
 */

import type { HelloRequest } from "../wire/requests.ts";
import type { ClientOptions } from "./options.ts";

/** Where a client's token comes from. */
export type TokenSource = ClientOptions["token"];

/**
 * Completes a Hello with the token as it is now.
 *
 * @param source Where it comes from
 * @param hello The Hello, which has it already unless it may be replaced
 * @returns The Hello to send; whatever the source throws makes this attempt fail
 */
export async function currentToken(source: TokenSource, hello: HelloRequest): Promise<HelloRequest> {
  return typeof source === "function" ? { ...hello, token: await source() } : hello;
}
