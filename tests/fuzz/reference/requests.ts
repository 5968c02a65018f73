/**
 * A second reader of requests, written after PROTOCOL.md, with a rule for each member.
 *
 * @module
 */

type Rule = (value: unknown) => boolean;

const isText: Rule = (value) => typeof value === "string";

const isFromTo = (least: number, most: number): Rule => (value) =>
  typeof value === "number" && least <= value && value <= most;

const NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";

function isName(value: unknown): boolean {
  if (typeof value !== "string" || value.length < 1 || value.length > 128) return false;
  if (![...value].every((character) => NAME_CHARACTERS.includes(character))) return false;
  const number = value.startsWith("client") ? value.slice(6) : "";
  return number === "" || ![...number].every((digit) => "0123456789".includes(digit));
}

function isInstance(value: unknown): boolean {
  if (typeof value !== "string" || value.length < 1 || value.length > 64) return false;
  return [...value].every((character) => NAME_CHARACTERS.includes(character));
}

function isPosition(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { incarnation, revision } = value as Record<string, unknown>;
  return isText(incarnation) && isFromTo(0, 2 ** 53 - 1)(revision) && (revision as number) % 1 === 0;
}

const isFlag: Rule = (value) => value === true || value === false;

const isCount: Rule = (value) => isFromTo(0, 2 ** 53 - 1)(value) && Number.isInteger(value);

/** Rules for the members of each kind of request. */
const RULES: Record<string, Record<string, Rule>> = {
  hello: {
    name: isName,
    token: isText,
    heartbeat: isFromTo(1, 3_600),
    grace: isFromTo(0, 86_400),
    takeover: isFlag,
    resume: isText,
    instance: isInstance,
    attempt: isCount,
  },
  watch: { prefix: isText, since: isPosition },
  list: {
    prefix: isText,
    status: (value) => value === "live" || value === "suspect" || value === "detached",
    limit: isCount,
    after: isText,
    count: isFlag,
    details: isFlag,
  },
  put: { name: isName, for: isFromTo(1, 86_400), takeover: isFlag, issued: isCount, if: isCount },
  drop: { name: isName, takeover: isFlag, if: isCount },
  kick: {
    id: isText,
    for: isFromTo(0, 86_400),
    reason: (value) => typeof value === "string" && value.length <= 128,
  },
  fetch: { id: isText },
};

/** Members that a request must have. */
const NEEDED: Record<string, readonly string[]> = { put: ["name", "for"], drop: ["name"], kick: ["id"], fetch: ["id"] };

/** Rules for the members of the reply to a Hello. */
const isShort = (most: number): Rule => (value) => typeof value === "string" && value.length <= most;

/** Whether a text has no character but those that ASCII shows. */
function isVisible(value: unknown): boolean {
  return typeof value === "string" && [...value].every((character) => character >= "!" && character <= "~");
}

const isWhole = (least: number, most: number): Rule => (value) =>
  isFromTo(least, most)(value) && Number.isInteger(value);

const GREETING: Record<string, Rule> = {
  server: isShort(64),
  version: isShort(64),
  incarnation: (value) => isVisible(value) && isShort(255)(value) && value !== "",
  id: (value) => value === null || isName(value),
  resume: (value) => value === null || isVisible(value) && isShort(256)(value),
  heartbeat: (value) => value === 0 || isFromTo(1, 3_600)(value),
  grace: isFromTo(0, 86_400),
  maxState: isWhole(0, 2 ** 30),
  edition: (value) => value === undefined || isWhole(1, 65_536)(value),
};

/** Parses the JSON of an object; `null` if it is anything else. */
function readObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Reads a request.
 *
 * @param kind The name of the message, such as `"hello"`
 * @param bytes Its JSON
 * @returns Its known members that are not `null`; `null` when the request is invalid
 */
export function readRequest(kind: string, bytes: Uint8Array): Record<string, unknown> | null {
  const object = readObject(bytes);
  if (object === null) return null;
  const members = Object.entries(RULES[kind]!).filter(([name]) =>
    (Object.hasOwn(object, name) ? object[name] : null) !== null
  );
  if (!members.every(([name, rule]) => rule(object[name]))) return null;
  if (NEEDED[kind]?.some((needed) => members.every(([name]) => name !== needed))) return null;
  return Object.fromEntries(members.map(([name]) => [name, object[name]]));
}

/** Reads the reply to a Hello: all its members, or `null` when a required one is missing or invalid. */
export function readGreeting(bytes: Uint8Array): Record<string, unknown> | null {
  const object = readObject(bytes);
  const isGreeting = object !== null && Object.entries(GREETING).every(([name, rule]) => rule(object[name]));
  return isGreeting ? object : null;
}
