/**
 * Operations that go wrong: clients that send garbage, or too slowly, or half a message, and a stalled server.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { delay } from "../../../lib/base/async.ts";
import { bytesOf, longLength, readToEnd, textOf, writeFully } from "../../support/bytes.ts";
import type { Line } from "../line.ts";
import type { Operation } from "./operation.ts";

/** Invalid messages, and the server's error codes for them; for what looks like HTTP, how the answer begins. */
const NONSENSE: readonly (readonly [Uint8Array<ArrayBuffer>, string])[] = [
  [bytesOf("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "],
  [bytesOf("get / HTTP/1.1\r\n\r\n"), "BAD_MAGIC"],
  [bytesOf(0, 1, 2, 3, 255, 254), "BAD_MAGIC"],
  [bytesOf(42, 99), "BAD_TYPE"],
  [bytesOf(42, 7), "BAD_TYPE"],
  [bytesOf(66, 2, 0), "BAD_VERSION"],
  [bytesOf(42, 0, longLength(2 ** 40)), "STATE_TOO_LARGE"],
  [bytesOf(66, 1, 0, longLength(2 ** 50)), "STATE_TOO_LARGE"],
  [bytesOf(42, 4, longLength(5), "hello"), "BAD_HELLO"],
];

/** What is asked over HTTP. */
const PATHS = ["/map", "/clients", "/clients?limit=5", "/clients?count", "/metrics", "/health/ready", "/openapi.json"];

const HELLO = bytesOf(42, 4, longLength(2), "{}");

const NOBODY = '{"prefix":"nobody:"}';

/** What an attacker asks for, and how often. */
const REQUESTS: readonly (readonly [Uint8Array<ArrayBuffer>, number])[] = [
  [bytesOf(42, 6, longLength(NOBODY.length), NOBODY), 20_000],
  [bytesOf(42, 6, longLength(2), "{}"), 200],
  [bytesOf(42, 3), 500],
  [bytesOf(42, 7), 50_000],
  [bytesOf(42, 8), 2_000],
];

/** How long an attacker that reads nothing goes on, in milliseconds. */
const UNREAD = 300;

/** Time between two bytes of a slow client, in milliseconds, and the number of bytes. */
const SLOW = 200;
const SLOW_BYTES = 50;

/** Duration of a stall of the server, in milliseconds: shorter than the patience of any heartbeat. */
const STANDSTILL = [200, 900] as const;

/** Asks for as much as it can at once, without being a client. Some read every answer, and some none. */
export const attack: Operation = {
  name: "attack",
  weight: 2,
  connections: 1,
  plan({ random, lines }) {
    const [request, count] = random.pick(REQUESTS);
    const flood = new Uint8Array(request.length * count);
    for (let at = 0; at < flood.length; at += request.length) flood.set(request, at);
    const isRead = random.next() < 0.5;
    return async () => {
      const line = await lines.dial();
      await writeFully(line, HELLO);
      // Without reading, the server stops reading in the end: then there is no use in waiting.
      if (!isRead) {
        return await Promise.race([writeFully(line, flood).catch(() => {}), delay(UNREAD)]).then(() => line.close());
      }
      const reading = readToEnd(line);
      await writeFully(line, flood);
      await line.closeWrite();
      await reading;
      line.close();
    };
  },
};

/** Sends an invalid message, which is refused without affecting others. */
export const nonsense: Operation = {
  name: "nonsense",
  weight: 3,
  connections: 1,
  plan({ random, lines }) {
    const [bytes, code] = random.pick(NONSENSE);
    const noise = random.bytes(random.integer(0, 2_000));
    return async () => {
      const line = await lines.dial();
      await writeFully(line, bytesOf(bytes, noise));
      await expectError(line, code);
    };
  },
};

/** Asks over HTTP, several times on one connection, and reads every answer. */
export const web: Operation = {
  name: "ask over HTTP",
  weight: 3,
  connections: 1,
  plan({ random, lines }) {
    const paths = Array.from({ length: random.integer(1, 4) }, () => random.pick(PATHS));
    const requests = paths.map((path, at) => {
      const last = at === paths.length - 1 ? "Connection: close\r\n" : "";
      return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
    });
    return async () => {
      const line = await lines.dial();
      await writeFully(line, bytesOf(requests.join("")));
      const reply = textOf(await readToEnd(line));
      line.close();
      assertEquals(reply.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, requests.length, reply.slice(0, 1_000));
    };
  },
};

/** Follows the events over HTTP for a moment, and goes without a word. */
export const stream: Operation = {
  name: "follow over HTTP",
  weight: 2,
  connections: 1,
  plan({ random, lines }) {
    const wait = random.integer(0, 300);
    return async () => {
      const line = await lines.dial();
      await writeFully(line, bytesOf("GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      const buffer = new Uint8Array(65_536);
      const count = await line.read(buffer);
      assert(textOf(buffer.subarray(0, count ?? 0)).startsWith("HTTP/1.1 200 OK\r\n"));
      await delay(wait);
      line.close();
    };
  },
};

/** Ends a connection within a message. */
export const fragment: Operation = {
  name: "end within a message",
  weight: 3,
  connections: 1,
  plan({ random, lines }) {
    const message = bytesOf(42, 0, longLength(1_000), random.bytes(1_000));
    const length = random.integer(11, message.length - 1);
    const isReset = random.next() < 0.5;
    return async () => {
      const line = await lines.dial();
      await writeFully(line, message.subarray(0, length));
      if (isReset) return line.close();
      await line.closeWrite();
      assertEquals(await readToEnd(line), new Uint8Array(0));
      line.close();
    };
  },
};

/** Sends a message so slowly that only a deadline can end the connection. */
export const slowness: Operation = {
  name: "slow message",
  weight: 2,
  connections: 1,
  plan(world) {
    return async () => {
      const line = await world.lines.dial();
      await writeFully(line, bytesOf(42, 0, longLength(1_000)));
      world.leaveAlone(async () => {
        const answered = expectError(line, "TIMEOUT");
        // The wait below reports it.
        answered.catch(() => {});
        for (let sent = 0; sent < SLOW_BYTES && world.lines.open.has(line); sent++) {
          await delay(SLOW);
          // The server may have ended it meanwhile.
          await line.write(Uint8Array.of(97)).catch(() => {});
        }
        await answered;
      });
    };
  },
};

/** Stalls the server for a moment, which must not cost any client its connection. */
export const standstill: Operation = {
  name: "server stands still",
  weight: 1,
  connections: 0,
  plan(world) {
    const { random, host } = world;
    if (!world.take(host)) return null;
    const milliseconds = random.integer(...STANDSTILL);
    return () => host.standStill(milliseconds);
  },
};

/** Expects one error reply, and then the end of the stream. */
async function expectError(line: Line, code: string): Promise<void> {
  try {
    const reply = textOf(await readToEnd(line));
    // The bytes in front mark an error and its length.
    const isExpected = code.startsWith("HTTP") ? reply.startsWith(code) : reply.slice(2).startsWith(`${code}: `);
    assert(isExpected, `the reply is ${JSON.stringify(reply)}, not ${code}`);
  } finally {
    line.close();
  }
}
