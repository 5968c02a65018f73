/**
 * The tokens of a server, and what each allows.
 *
 * A token file has a line per token: `name:token`, `name:token:read` or `name:token:write`. The name is for people and
 * the log; the token is the secret, and never appears in a log or an error.
 *
 * @module
 */

import { timingSafeEqual, toBytes } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";

/** What a token allows: only to read the map, or also to join it. */
export type Permission = "read" | "write";

/** What a known token allows. */
export interface Grant {
  /** The token's name. */
  readonly name: string;
  /** What it allows. */
  readonly access: Permission;
}

/** Shortest token, in characters: a shorter one could be guessed. */
export const MIN_TOKEN = 16;

/** Longest token, in characters: it must fit into a Hello. */
export const MAX_TOKEN = 1_024;

/**
 * A line with a token. Control characters are refused: JSON writes each with six bytes, so that a long token of them
 * would not fit into a Hello, and in a token file they are a mistake.
 */
const LINE = /^([^:\s\p{Cc}\p{Cs}]+):([^:\s\p{Cc}\p{Cs}]+)(?::(read|write))?$/u;

/** The tokens that a server accepts. */
export class Tokens {
  readonly #known: { grant: Grant; token: Uint8Array }[] = [];

  /** The number of tokens. */
  get size(): number {
    return this.#known.length;
  }

  /**
   * Parses a token file.
   *
   * ```text
   * # for the robots
   * robots:7d1f0c9b2e44a8865f3f
   * dashboard:b0f9a1e6cc7d4d0f83aa:read
   * ```
   *
   * @param text The file's text
   * @param source Where the text is from, for the message of an error
   * @returns The tokens
   * @throws {TrackerError} BAD_ARGUMENT if a line is invalid; the message contains its number, but no token
   *
   * @example A token that only allows reading
   * ```ts
   * import { Tokens } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * const tokens = Tokens.parse("dashboard:b0f9a1e6cc7d4d0f83aa:read");
   * assertEquals(tokens.find("b0f9a1e6cc7d4d0f83aa"), { name: "dashboard", access: "read" });
   * assertEquals(tokens.find("guessed"), null);
   * ```
   */
  static parse(text: string, source?: string): Tokens {
    const tokens = new Tokens();
    const invalid = (why: string) => invalidError(why, source);
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const trimmed = line.trim();
      if (trimmed !== "" && !trimmed.startsWith("#")) tokens.#add(trimmed, index + 1, invalid);
    }
    if (tokens.size === 0) throw invalid("it has no tokens, so nobody could connect");
    return tokens;
  }

  /**
   * Finds what a token allows. It is compared with all tokens, each to its end, so that the time this takes reveals
   * nothing about how close a guess was.
   *
   * @param token The token that a client has shown
   * @returns What it allows; `null` if it is unknown
   */
  find(token: string): Grant | null {
    const given = toBytes(token);
    let found: Grant | null = null;
    for (const known of this.#known) {
      if (timingSafeEqual(given, known.token)) found = known.grant;
    }
    return found;
  }

  #add(line: string, number: number, invalid: (why: string) => TrackerError): void {
    const [, name, token = "", access = "write"] = LINE.exec(line) ?? [];
    if (name === undefined) throw invalid(`line ${number} is not name:token, name:token:read or name:token:write`);
    if (token.length < MIN_TOKEN || token.length > MAX_TOKEN) {
      throw invalid(`the token on line ${number} must be ${MIN_TOKEN} to ${MAX_TOKEN} characters`);
    }
    if (this.find(token) !== null) throw invalid(`the token on line ${number} is there twice`);
    this.#known.push({ grant: { name, access: access as Permission }, token: toBytes(token) });
  }
}

function invalidError(why: string, source?: string): TrackerError {
  const from = source === undefined ? "" : ` from ${source}`;
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens${from}: ${why}`);
}
