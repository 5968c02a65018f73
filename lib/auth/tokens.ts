/**
 * Tokens: who may do what, for a server that asks.
 *
 * A token file has a line for each token, `name:token` or `name:token:read`. The name is for people and for the log;
 * the token is the secret, and never appears in a log or an error.
 *
 * @module
 */

import { timingSafeEqual, toBytes } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";

/** What a token allows: to look at the map, or also to be in it. */
export type Permission = "read" | "write";

/** A token that is known. */
export interface Grant {
  /** What people call it. */
  readonly name: string;
  /** What it allows. */
  readonly access: Permission;
}

/** Fewest characters of a token: fewer could be tried out. */
export const MIN_TOKEN = 16;

/** Most characters of a token: it has to fit into a Hello. */
export const MAX_TOKEN = 1_024;

/**
 * What a line looks like. Control characters are written with six bytes each in JSON, so that a long token of them would
 * not fit into a Hello; nor does anybody mean them.
 */
const LINE = /^([^:\s\p{Cc}\p{Cs}]+):([^:\s\p{Cc}\p{Cs}]+)(?::(read|write))?$/u;

/** The tokens that a server takes. */
export class Tokens {
  readonly #known: { grant: Grant; token: Uint8Array }[] = [];

  /** How many there are. */
  get size(): number {
    return this.#known.length;
  }

  /**
   * Reads a token file.
   *
   * ```text
   * # what the robots say
   * robots:7d1f0c9b2e44a8865f3f
   * dashboard:b0f9a1e6cc7d4d0f83aa:read
   * ```
   *
   * @param text The file's text
   * @returns The tokens
   * @throws {TrackerError} BAD_ARGUMENT when a line is not as it must be; the message has its number, and no token
   *
   * @example A token that may only look
   * ```ts
   * import { Tokens } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * const tokens = Tokens.parse("dashboard:b0f9a1e6cc7d4d0f83aa:read");
   * assertEquals(tokens.find("b0f9a1e6cc7d4d0f83aa"), { name: "dashboard", access: "read" });
   * assertEquals(tokens.find("guessed"), null);
   * ```
   */
  static parse(text: string): Tokens {
    const tokens = new Tokens();
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const trimmed = line.trim();
      if (trimmed !== "" && !trimmed.startsWith("#")) tokens.#add(trimmed, index + 1);
    }
    if (tokens.size === 0) throw fileError("it has no tokens, so nobody could connect");
    return tokens;
  }

  /**
   * Finds what a token allows. Compares with every token there is, each to its end, so that the time it takes says
   * nothing of how near a guess was.
   *
   * @param token What a client has shown
   * @returns What it allows, or `null` when there is no such token
   */
  find(token: string): Grant | null {
    const given = toBytes(token);
    let found: Grant | null = null;
    for (const known of this.#known) {
      if (timingSafeEqual(given, known.token)) found = known.grant;
    }
    return found;
  }

  #add(line: string, number: number): void {
    const [, name, token = "", access = "write"] = LINE.exec(line) ?? [];
    if (name === undefined) throw fileError(`line ${number} is not name:token, name:token:read or name:token:write`);
    if (token.length < MIN_TOKEN || token.length > MAX_TOKEN) {
      throw fileError(`the token on line ${number} must be ${MIN_TOKEN} to ${MAX_TOKEN} characters`);
    }
    if (this.find(token) !== null) throw fileError(`the token on line ${number} is there twice`);
    this.#known.push({ grant: { name, access: access as Permission }, token: toBytes(token) });
  }
}

function fileError(why: string): TrackerError {
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens: ${why}`);
}
