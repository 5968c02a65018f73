/**
 * The file of tokens that a server takes.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import { Tokens } from "../tokens.ts";

/** The permission bits by which others than a file's owner can read or change it. */
const OTHERS = 0o077;

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
   * @throws {TrackerError} BAD_ARGUMENT when it cannot be read, is not a token file, or is not its owner's alone
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
  let text: string;
  try {
    const { mode } = await Deno.stat(path);
    // Windows has no such bits.
    if (mode !== null && (mode & OTHERS) !== 0) throw fileError(path, `others can read it: chmod 600 ${path}`);
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof TrackerError) throw cause;
    if (cause instanceof Deno.errors.NotCapable) {
      throw fileError(path, `Deno was not given the permission: run deno with -R=${path}`, cause);
    }
    throw fileError(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
  try {
    return Tokens.parse(text);
  } catch (cause) {
    throw cause instanceof TrackerError ? fileError(path, cause.message.replace(/^Cannot take tokens: /, "")) : cause;
  }
}

function fileError(path: string, why: string, cause?: unknown): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens from ${path}: ${why}`, { cause });
}
