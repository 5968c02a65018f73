/**
 * The rules of the architecture: what may import what, and how long anything may get.
 *
 * To add a room, add a line to {@linkcode ARROWS}. `tests/architecture_test.ts` fails on everything not allowed here.
 *
 * @module
 */

/** Rooms that every other may import: they are names and numbers, and pull in nothing. */
const FREE = "errors protocol version";

/** Rooms that the command line may import: every one below it. */
const BELOW_CLI = "gateway http cluster history tcp server client wire feed map auth transport base codec";

/**
 * The arrows: for each room, what its files may import besides each other. A room is a folder of `lib/`, or a file
 * directly in it. `feed/event_encoder` means that one file of the room.
 */
export const ARROWS: Readonly<Record<string, string>> = {
  protocol: "",
  errors: "",
  // The version is written in one place.
  version: "deno.json",
  base: "",
  codec: "base",
  transport: "base",
  auth: "base",
  map: "base",
  // Never wire: the feed is given an encoder, so that SSE and JSON need no second feed.
  feed: "map base",
  wire: "codec base feed/event_encoder map/position",
  server: "wire feed map auth transport base codec",
  client: "wire transport base codec",
  // Auth for the networks of proxies, whose word counts for an address.
  tcp: "server client auth transport base",
  node: "client transport base",
  browser: "client transport base",
  // HTTP and WebSocket as such: they know nothing of Tracker.
  http: "transport base",
  gateway: "http server feed map auth wire transport base",
  cluster: "map base",
  history: "map base",
  cli: BELOW_CLI,
  commands: `cli ${BELOW_CLI}`,
  main: "commands cli",
  // Never gateway, cluster or history: those are entry points of their own, so that only their users pay for them.
  mod: "tcp server client map auth transport wire codec",
};

/** Rooms that may use `Deno` and `node:` modules. All others run in a browser as they are. */
export const RUNTIME_ROOMS: readonly string[] = "tcp node gateway cluster history cli commands main".split(" ");

/** The module whose graph has relative imports only, so that it can be imported from a URL without an import map. */
export const PURE_ENTRY = "mod.ts";

/** Most lines that a file, a class or a function may have. */
export const LIMITS = {
  file: 400,
  class: 300,
  // Does not apply to callbacks in tests, such as those of `Deno.test`.
  function: 40,
};

/** Files that have a higher limit, each with its reason. */
export const FILE_LIMITS: Readonly<Record<string, number>> = {
  // The single pass over the bytes of all messages reads best in one place.
  "lib/codec.ts": 600,
};

/**
 * Finds the room of a file.
 *
 * @param path Its path from the project's root
 * @returns The room's name in {@linkcode ARROWS}; the path itself if it is in no room
 */
export function roomOf(path: string): string {
  return /^(?:lib\/)?([a-z_]+)(?:\.ts$|\/)/.exec(path)?.[1] ?? path;
}

/**
 * Checks whether a file may import another.
 *
 * @param from Path of a file in a room, from the project's root
 * @param to Path of the file that it imports
 * @returns Whether the arrow is allowed
 */
export function mayImport(from: string, to: string): boolean {
  const [room, other] = [roomOf(from), roomOf(to)];
  const allowed = `${FREE} ${ARROWS[room]}`.split(" ");
  return room === other || allowed.includes(other) || allowed.includes(to.replace(/^lib\/(.*)\.ts$/, "$1"));
}

/** Whether a file is a test or serves tests only. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/");
}

/** Whether a file is subject to the arrows. */
export function isInHouse(path: string): boolean {
  return path.startsWith("lib/") || path === "main.ts" || path === "mod.ts";
}
