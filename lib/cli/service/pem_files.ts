/**
 * Files of certificates and keys.
 *
 * @module
 */

import type { KeyPair } from "../../transport/listener.ts";
import { CommandError } from "../command_error.ts";

/**
 * Reads a server's certificate and its key.
 *
 * @param cert Where the certificate is
 * @param key Where the key is
 * @returns What the files hold
 * @throws {CommandError} when one cannot be read
 */
export async function readKeyPair(cert: string, key: string): Promise<KeyPair> {
  return { cert: await readPem("certificate", cert), key: await readPem("key", key) };
}

/**
 * Reads a file of certificates, or a key.
 *
 * @param what What is in it, for the message of an error
 * @param path Where it is
 * @returns What it holds
 * @throws {CommandError} when it cannot be read
 */
export async function readPem(what: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const isMissing = cause instanceof Deno.errors.NotCapable;
    const why = isMissing ? `Deno was not given the permission (-R=${path} grants it)` : cause;
    throw new CommandError(`read the ${what} ${path}`, why);
  }
}
