/**
 * Token files: `Tokens.parse`.
 *
 * @module
 */

import { MAX_TOKEN, MIN_TOKEN, Tokens, TrackerError } from "../../../mod.ts";
import { encodeRequest } from "../../../lib/wire/mod.ts";
import type { Random } from "../../support/random.ts";
import { mutateText, simplerTexts } from "../sequences.ts";
import { demand, type Note, type Target } from "../target.ts";

const SECRETS = ["0123456789abcdef", "0123456789abcde", "fedcba9876543210", "ÄÖÜäöüß☃☃☃☃☃☃☃☃☃", '"\\'.repeat(10)];

const LONG_SECRETS = [
  "x".repeat(MAX_TOKEN),
  "x".repeat(MAX_TOKEN + 1),
  "☃".repeat(MAX_TOKEN),
  "\x01".repeat(MAX_TOKEN),
];

const WORDS = [
  ":",
  "\n",
  "\r\n",
  "\r",
  "#",
  " ",
  "\t",
  "\0",
  "\ufeff",
  "\x01",
  ":read",
  ":write",
  ":admin",
  ...SECRETS,
];

/** The target for token files. */
export const tokensTarget: Target<string> = {
  name: "tokens",
  covers: ["/lib/auth/tokens.ts"],
  generate(random) {
    const lines = Array.from({ length: random.integer(0, 4) }, () => lineOf(random));
    const text = lines.join(random.pick(["\n", "\n", "\r\n"]));
    return random.next() < 0.2 ? mutateText(text, random, WORDS) : text;
  },
  mutate: (text, random) => mutateText(text, random, WORDS),
  check: checkTokens,
  simpler: simplerTexts,
  write: (text) => JSON.stringify(text),
  read: (text) => JSON.parse(text),
};

function lineOf(random: Random): string {
  if (random.next() < 0.15) return random.pick(["", "# what it is for", "  "]);
  const secret = random.pick(random.next() < 0.05 ? LONG_SECRETS : SECRETS);
  const numbered = random.next() < 0.7 ? secret + random.integer(0, 9) : secret;
  return `${random.pick(["ada", "bob", "é", ""])}:${numbered}${
    random.pick(["", "", ":read", ":write", ":admin", ":read:a-", ":write:", ":no"])
  }`;
}

function checkTokens(text: string, note: Note): void {
  const wanted = readTokens(text);
  let tokens: Tokens;
  try {
    tokens = Tokens.parse(text);
  } catch (error) {
    if (!(error instanceof TrackerError)) throw error;
    demand(error.code === "BAD_ARGUMENT", "a refusal is a BAD_ARGUMENT", () => error.code);
    demand(wanted === null, "a valid file is accepted", () => error.message);
    demandSilence(text, error.message);
    return note(error.message.replace(/\d+/g, "N"));
  }
  demand(wanted !== null, "an invalid file is refused");
  demand(tokens.size === wanted.size, "the number of tokens is the same", () => `${tokens.size}, and ${wanted.size}`);
  for (const [token, [name, access, prefix]] of wanted) {
    const grant = tokens.find(token);
    demand(
      grant?.name === name && grant.access === access && grant.prefix === prefix,
      "a token grants what its line says",
      () => token,
    );
    for (const near of [`${token}x`, token.slice(1), token.slice(0, -1)]) {
      demand(wanted.has(near) || tokens.find(near) === null, "only a token grants anything", () => near);
    }
    demandFits(token);
    note(`${Math.min(2, wanted.size)} ${access}`);
  }
}

/** Demands that no message contains a token, or what could be meant as one. */
function demandSilence(text: string, message: string): void {
  const secrets = text.match(/[^\s:]+/g)?.filter((word) => word.length >= MIN_TOKEN) ?? [];
  demand(secrets.every((secret) => !message.includes(secret)), "a message contains no token", () => message);
}

/** Demands that a token fits into a Hello, together with the longest name and all other members. */
function demandFits(token: string): void {
  try {
    const [heartbeat, grace, takeover] = [1.000000000000001, 86_399.99999999999, false];
    const identity = { instance: "i".repeat(64), attempt: Number.MAX_SAFE_INTEGER, resume: "0".repeat(32) };
    encodeRequest({ name: "n".repeat(128), token, heartbeat, grace, takeover, ...identity });
  } catch (error) {
    demand(false, "a token fits into a Hello", () => (error as Error).message);
  }
}

/** Reads the tokens of a file, line by line and part by part; `null` when it is invalid. */
function readTokens(text: string): Map<string, [name: string, access: string, prefix?: string]> | null {
  const tokens = new Map<string, [string, string, string?]>();
  for (const line of text.replaceAll("\r\n", "\n").split("\n").map((line) => line.trim())) {
    if (line === "" || line[0] === "#") continue;
    const [name = "", token = "", access = "write", ...rest] = line.split(":");
    // A prefix may have colons in it.
    const prefix = rest.length === 0 ? undefined : rest.join(":");
    const isValid = name !== "" && (prefix === undefined || /^[A-Za-z0-9._:-]{1,128}$/.test(prefix)) &&
      ["read", "write", "admin"].includes(access) &&
      isUnbroken(line) && token.length >= MIN_TOKEN && token.length <= MAX_TOKEN && !tokens.has(token);
    if (!isValid) return null;
    tokens.set(token, prefix === undefined ? [name, access] : [name, access, prefix]);
  }
  return tokens.size === 0 ? null : tokens;
}

/** Tells whether a line has no blank of any kind and no invisible character. */
function isUnbroken(line: string): boolean {
  const isVisible = (character: string) => {
    const code = character.charCodeAt(0);
    return character.trim() !== "" && code >= 0x20 && (code < 0x7f || code > 0x9f);
  };
  return line.isWellFormed() && [...line].every(isVisible);
}
