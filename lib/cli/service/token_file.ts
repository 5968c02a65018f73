/**
 * The file with the tokens that a server accepts.
 *
 * @module
 */

import { Tokens } from "../../auth/tokens.ts";
import { readSecretFile } from "./secret_file.ts";

/** The tokens in a file, which can be reloaded. */
export class TokenFile {
  readonly #path: string;
  #tokens: Tokens;

  private constructor(path: string, tokens: Tokens) {
    this.#path = path;
    this.#tokens = tokens;
  }

  /** The tokens, as of the last time the file was read. */
  get tokens(): Tokens {
    return this.#tokens;
  }

  /**
   * Reads a file of tokens.
   *
   * @param path Its path
   * @returns The tokens
   * @throws {TrackerError} BAD_ARGUMENT when it cannot be read, is no token file, or others can read it
   */
  static async open(path: string): Promise<TokenFile> {
    return new TokenFile(path, await readTokens(path));
  }

  /**
   * Reads the file again. If it is invalid now, the tokens stay as they were.
   *
   * @throws {TrackerError} as {@linkcode open}
   */
  async reload(): Promise<void> {
    this.#tokens = await readTokens(this.#path);
  }
}

async function readTokens(path: string): Promise<Tokens> {
  return Tokens.parse(await readSecretFile(path), path);
}
