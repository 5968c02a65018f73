/**
 * Files with certificates and keys.
 *
 * @module
 */

import type { KeyPair } from "../../transport/listener.ts";
import { CommandError } from "../command_error.ts";
import { secretFlawOf, withoutMark } from "./secret_file.ts";

/**
 * Reads a server's certificate and its key.
 *
 * @param cert The path of the certificate
 * @param key The path of the key
 * @returns The contents of both files
 * @throws {CommandError} when one cannot be read, or others can read the key
 */
export async function readKeyPair(cert: string, key: string): Promise<KeyPair> {
  const pair = { cert: await readPem("certificate", cert), key: await readPem("key", key) };
  const flaw = await secretFlawOf(key);
  if (flaw !== null) throw new CommandError(`use the key ${key}`, flaw);
  return pair;
}

/**
 * Reads a file with certificates or a key.
 *
 * @param what What it contains, for error messages
 * @param path Its path
 * @returns Its contents
 * @throws {CommandError} when it cannot be read
 */
export async function readPem(what: string, path: string): Promise<string> {
  try {
    return withoutMark(await Deno.readTextFile(path));
  } catch (cause) {
    const isDenied = cause instanceof Deno.errors.NotCapable;
    const why = isDenied ? `Deno was not given the permission (-R=${path} grants it)` : cause;
    throw new CommandError(`read the ${what} ${path}`, why);
  }
}
