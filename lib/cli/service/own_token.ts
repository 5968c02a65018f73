/**
 * The token that a command shows to the server. It is never part of a command line, because every user of a machine can
 * read the command lines of all running programs.
 *
 * @module
 */

import { MAX_TOKEN, MIN_TOKEN } from "../../auth/tokens.ts";
import { readEnvironment } from "../environment.ts";
import { UsageError } from "../flags/usage.ts";
import { readSecretFile, secretFileError } from "./secret_file.ts";

/**
 * Finds the token: in the file if one is named, otherwise in the environment.
 *
 * @param path The path of the file, if one is named
 * @returns The token; `undefined` if there is none
 * @throws {TrackerError} BAD_ARGUMENT when the file cannot be read or does not hold exactly one token
 * @throws {UsageError} when the variable does not hold a token
 */
export async function findToken(path: string | undefined): Promise<string | undefined> {
  if (path !== undefined) return await readToken(path);
  const token = readEnvironment("TRACKER_TOKEN");
  if (token === undefined || isToken(token)) return token;
  throw new UsageError(`TRACKER_TOKEN must be a token of ${MIN_TOKEN} to ${MAX_TOKEN} characters, without : or spaces`);
}

/**
 * Reads the token again.
 *
 * @param path The path of its file
 * @param known The token to show if the file cannot be used just now
 * @returns The token
 */
export async function rereadToken(path: string, known: string): Promise<string> {
  return await readToken(path).catch(() => known);
}

async function readToken(path: string): Promise<string> {
  const text = (await readSecretFile(path)).trim();
  if (isToken(text)) return text;
  if (text.includes(":")) {
    throw secretFileError(path, "it has the form of a server's file; a client's holds its token alone, without a name");
  }
  throw secretFileError(
    path,
    `it does not hold one token of ${MIN_TOKEN} to ${MAX_TOKEN} characters, and nothing else`,
  );
}

function isToken(text: string): boolean {
  return text.length >= MIN_TOKEN && text.length <= MAX_TOKEN && /^[^:\s]+$/.test(text);
}
