/**
 * The file of tokens that a server takes.
 *
 * @module
 */

import { TrackerError } from "../../errors.ts";
import { Tokens } from "../../auth/tokens.ts";
import { readSecretFile, secretFileError } from "./secret_file.ts";

/** The tokens in a file, which can be read again when it has changed. */
export class TokenFile {
  readonly #path: string;
  #tokens: Tokens;

  private constructor(path: string, tokens: Tokens) {
    this.#path = path;
    this.#tokens = tokens;
  }

  /** The tokens, as they were when the file was last read. */
  get tokens(): Tokens {
    return this.#tokens;
  }

  /**
   * Reads a file of tokens.
   *
   * @param path Where it is
   * @returns The tokens
   * @throws {TrackerError} BAD_ARGUMENT when it cannot be read, is not a token file, or is for everybody
   */
  static async open(path: string): Promise<TokenFile> {
    return new TokenFile(path, await readTokens(path));
  }

  /**
   * Reads the file again. If it makes no sense now the tokens stay what they were.
   *
   * @throws {TrackerError} as {@linkcode open}
   */
  async reload(): Promise<void> {
    this.#tokens = await readTokens(this.#path);
  }
}

async function readTokens(path: string): Promise<Tokens> {
  const text = await readSecretFile(path);
  try {
    return Tokens.parse(text);
  } catch (cause) {
    if (!(cause instanceof TrackerError)) throw cause;
    throw secretFileError(path, cause.message.replace(/^Cannot take tokens: /, ""));
  }
}
