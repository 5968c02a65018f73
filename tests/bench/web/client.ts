/**
 * Clients of each server, in bytes.
 *
 * @module
 */

import type { ServerName } from "./servers.ts";

/** How a connection becomes a subscriber. */
export type Manner = "websocket" | "events" | "tcp";

const encoder = new TextEncoder();

function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const all = parts.map((part) =>
    typeof part === "number" ? Uint8Array.of(part) : typeof part === "string" ? encoder.encode(part) : part
  );
  const joined = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A binary frame of a client, whose mask changes nothing. */
export function masked(payload: Uint8Array): Uint8Array {
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >>> 8, payload.length & 255];
  return bytes(0x82, ...length, 0, 0, 0, 0, payload);
}

const HELLO = bytes(42, 4, 0, 0, 0, 0, 0, 0, 0, 2, "{}");
const WATCH = bytes(42, 5, 0, 0, 0, 0, 0, 0, 0, 2, "{}");

/** What a subscriber says once it is connected, after the upgrade if there is one. */
const SUBSCRIBE: Readonly<Partial<Record<ServerName, Uint8Array>>> = {
  tracker: bytes(HELLO, WATCH),
  nats: bytes('CONNECT {"verbose":false,"pedantic":false}\r\nSUB a 1\r\nPING\r\n'),
  mosquitto: bytes(0x10, 13, 0, 4, "MQTT", 4, 2, 0, 0, 0, 1, "x", 0x82, 6, 0, 1, 0, 1, "a", 0),
};

/** The path of each server's WebSocket. */
const PATHS: Readonly<Record<ServerName, string>> = {
  tracker: "/ws",
  nats: "/",
  mosquitto: "/mqtt",
  nchan: "/sub",
  deno: "/",
};

/** Connects a subscriber. */
export async function subscribe(name: ServerName, port: number, manner: Manner, number: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ port });
  connection.setNoDelay(true);
  if (manner === "tcp") {
    await write(connection, SUBSCRIBE.tracker!);
    return connection;
  }
  const path = manner === "websocket" ? PATHS[name] : name === "tracker" ? "/watch" : "/sub";
  const upgrade = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...name === "mosquitto" ? ["Sec-WebSocket-Protocol: mqtt"] : [],
  ];
  const headers = manner === "websocket" ? upgrade : ["Accept: text/event-stream"];
  await write(connection, bytes([`GET ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n")));
  await readHead(connection);
  const words = manner === "websocket" ? subscription(name, number) : undefined;
  if (words !== undefined) await write(connection, masked(words));
  return connection;
}

/** A broker of MQTT ends whoever has the name of a newcomer. */
function subscription(name: ServerName, number: number): Uint8Array | undefined {
  if (name !== "mosquitto") return SUBSCRIBE[name];
  const id = `client${number}`;
  return bytes(0x10, 12 + id.length, 0, 4, "MQTT", 4, 2, 0, 0, 0, id.length, id, 0x82, 6, 0, 1, 0, 1, "a", 0);
}

/** Writes all of some bytes. */
export async function write(connection: Deno.TcpConn, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length;) at += await connection.write(part.subarray(at));
}

/** Reads the head of a response, and nothing behind it. */
async function readHead(connection: Deno.TcpConn): Promise<void> {
  const one = new Uint8Array(1);
  let end = "";
  while (end !== "\r\n\r\n") {
    if (await connection.read(one) === null) throw new Error("the connection was refused");
    end = (end + String.fromCharCode(one[0]!)).slice(-4);
  }
}
