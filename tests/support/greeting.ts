import type { Greeting } from "../../mod.ts";
import { bytesOf, longLength } from "./bytes.ts";

/** The greeting of a server that tests play. */
export const GREETING: Greeting = {
  server: "tracker",
  version: "1",
  incarnation: "x",
  id: null,
  resume: null,
  heartbeat: 0,
  grace: 0,
  maxState: 65_536,
};

/** A reply of JSON: any bytes before, the length, and the JSON. */
export function jsonReply(json: string, ...before: number[]): Uint8Array<ArrayBuffer> {
  return bytesOf(...before, longLength(new TextEncoder().encode(json).length), json);
}

/** The reply to a Hello, which tests may make malformed. */
export function greetingReply(greeting: unknown = GREETING): Uint8Array<ArrayBuffer> {
  return jsonReply(JSON.stringify(greeting), 1);
}
