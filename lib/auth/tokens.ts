/**
 * The tokens of a server, and what each allows.
 *
 * A token file has a line per token: `name:token`, and if it does not allow everything but ending others,
 * `name:token:read`, `name:token:write` or `name:token:admin`, and behind that `:prefix`, for a token that is bound to the
 * identifiers that begin with it. The name is for people and the log; the token is the secret, and never appears in a log
 * or an error.
 *
 * @module
 */

import { timingSafeEqual, toBytes } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";

/** What a token allows: only to read the map, also to join it, or also to end others. */
export type Permission = "read" | "write" | "admin";

/** What a known token allows. */
export interface Grant {
  /** The token's name. */
  readonly name: string;
  /** What it allows. */
  readonly access: Permission;
  /** With what every identifier begins that it may see, take, set, drop or end; anything unless given. */
  readonly prefix?: string;
}

/** A token, for {@linkcode Tokens.of}. */
export interface TokenOptions {
  /** The token's name. */
  name: string;
  /** The secret: 16 to 1,024 characters, none of them a space, a colon or a control character. */
  token: string;
  /**
   * What it allows.
   *
   * @default {"write"}
   */
  access?: Permission;
  /** With what every identifier begins that it may see, take, set, drop or end; anything unless given. */
  prefix?: string;
}

/** Shortest token, in characters: a shorter one could be guessed. */
export const MIN_TOKEN = 16;

/** Longest token, in characters: it must fit into a Hello. */
export const MAX_TOKEN = 1_024;

/**
 * A line with a token. Control characters are refused: JSON writes each with six bytes, so that a long token of them
 * would not fit into a Hello, and in a token file they are a mistake.
 */
const LINE = /^([^:\s\p{Cc}\p{Cs}]+):([^:\s\p{Cc}\p{Cs}]+)(?::(read|write|admin)(?::([A-Za-z0-9._:-]{1,128}))?)?$/u;

/** Makes the error of a token that cannot be taken, from what is wrong with it. */
type Complain = (why: string) => TrackerError;

/** The tokens that a server accepts. */
export class Tokens {
  /** By secret. */
  readonly #known = new Map<string, { readonly grant: Grant; readonly bytes: Uint8Array }>();
  /** The secret behind each grant that was found. It is not in the grant, so that it cannot get into a log. */
  static readonly #secrets = new WeakMap<Grant, string>();

  /** The number of tokens. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Parses a token file.
   *
   * ```text
   * # for the robots
   * robots:7d1f0c9b2e44a8865f3f:write:robot-
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
    const complain = (why: string) => invalidError(why, source);
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      const trimmed = line.trim();
      if (trimmed !== "" && !trimmed.startsWith("#")) tokens.#addLine(trimmed, `line ${index + 1}`, complain);
    }
    if (tokens.size === 0) throw complain("it has no tokens, so nobody could connect");
    return tokens;
  }

  /**
   * Makes tokens without a file.
   *
   * @param list The tokens
   * @returns The tokens
   * @throws {TrackerError} BAD_ARGUMENT if one is invalid or there is none; the message contains its name, but no token
   *
   * @example Robots that know only each other
   * ```ts
   * import { Tokens } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * const tokens = Tokens.of([{ name: "robots", token: "7d1f0c9b2e44a8865f3f", prefix: "robot-" }]);
   * assertEquals(tokens.find("7d1f0c9b2e44a8865f3f"), { name: "robots", access: "write", prefix: "robot-" });
   * ```
   */
  static of(list: readonly TokenOptions[]): Tokens {
    const tokens = new Tokens();
    const complain = (why: string) => invalidError(why);
    for (const [index, { name, token, access = "write", prefix }] of list.entries()) {
      // In a line, a colon ends a part.
      if (name.includes(":") || token.includes(":")) throw complain(`token ${index + 1} has a colon in it`);
      const line = [name, token, access, ...prefix === undefined ? [] : [prefix]].join(":");
      tokens.#addLine(line, `token ${index + 1}`, complain);
    }
    if (tokens.size === 0) throw complain("there are none, so nobody could connect");
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
    for (const { grant, bytes } of this.#known.values()) {
      if (timingSafeEqual(given, bytes)) found = grant;
    }
    return found;
  }

  /** @internal Whether these tokens allow what a token allowed that was found in others: it is there, and unchanged. */
  accepts(grant: Grant): boolean {
    const secret = Tokens.#secrets.get(grant);
    const present = secret === undefined ? undefined : this.#known.get(secret)?.grant;
    return present?.name === grant.name && present.access === grant.access && present.prefix === grant.prefix;
  }

  #addLine(line: string, place: string, complain: Complain): void {
    const [, name, token = "", access = "write", prefix] = LINE.exec(line) ?? [];
    if (name === undefined) {
      throw complain(
        `${place} is not name:token, or that with :read, :write or :admin, and perhaps :PREFIX, behind it`,
      );
    }
    if (token.length < MIN_TOKEN || token.length > MAX_TOKEN) {
      throw complain(`the token on ${place} must be ${MIN_TOKEN} to ${MAX_TOKEN} characters`);
    }
    if (this.find(token) !== null) throw complain(`the token on ${place} is there twice`);
    const grant: Grant = { name, access: access as Permission, ...prefix !== undefined && { prefix } };
    this.#known.set(token, { grant, bytes: toBytes(token) });
    Tokens.#secrets.set(grant, token);
  }
}

function invalidError(why: string, source?: string): TrackerError {
  const from = source === undefined ? "" : ` from ${source}`;
  return new TrackerError("BAD_ARGUMENT", `Cannot take tokens${from}: ${why}`);
}
