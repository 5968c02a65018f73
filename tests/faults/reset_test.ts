/** Connections that are reset at every byte of every message. */

import { assertEquals, assertLess } from "@std/assert";
import { MESSAGE_NAMES } from "../../lib/protocol.ts";
import { testUnless } from "../support/program.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { Helper } from "./support/helper.ts";
import type { ResetJob, ResetQuestion } from "./support/reset.ts";
import { figure, notLinux, scale, time } from "./support/scale.ts";
import { Asker, type FaultyServer, startFaulty } from "./support/server.ts";

function json(type: number, value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  return bytesOf(42, type, longLength(text.length), text);
}

function put(value: unknown, state: string): Uint8Array {
  const text = JSON.stringify(value);
  return bytesOf(42, 9, longLength(2 + text.length + state.length), 0, text.length, text, state);
}

const HELLO = json(4, {});
const OPEN = bytesOf(42, 0, longLength(3), "abc");
const COMPACT_OPEN = bytesOf(42, 0, 3, "abc");

/** The bytes of each message, and of what precedes it. */
const MESSAGES: Record<string, { before?: Uint8Array; bytes: Uint8Array }> = {
  "compact Open": { bytes: COMPACT_OPEN },
  "compact Update": { before: COMPACT_OPEN, bytes: bytesOf(42, 2, 4, 3, "xyz") },
  "compact Get": { before: COMPACT_OPEN, bytes: bytesOf(42, 3, 42, 3) },
  "compact Close": { before: COMPACT_OPEN, bytes: bytesOf(42, 1) },
  "java Open": { bytes: bytesOf(66, 1, 0, longLength(3), "abc") },
  "java Update": { bytes: bytesOf(66, 1, 2, longLength(3), "abc") },
  "java Get": { bytes: bytesOf(66, 1, 3) },
  "java Close": { bytes: bytesOf(66, 1, 1) },
  Open: { bytes: OPEN },
  Close: { before: OPEN, bytes: bytesOf(42, 1) },
  Update: { before: OPEN, bytes: bytesOf(42, 2, longLength(3), "xyz") },
  Get: { before: OPEN, bytes: bytesOf(42, 3) },
  Hello: { bytes: bytesOf(json(4, { name: "pi-7", heartbeat: 1, takeover: true }), 42, 0, longLength(3), "abc") },
  Watch: { before: HELLO, bytes: json(5, { prefix: "pi-" }) },
  List: { before: HELLO, bytes: json(6, { prefix: "pi-" }) },
  Ping: { before: HELLO, bytes: bytesOf(42, 7, 42, 7) },
  Stats: { before: HELLO, bytes: bytesOf(42, 8) },
  Put: { before: HELLO, bytes: put({ name: "set", for: 1, if: 5 }, "on") },
  Drop: { before: HELLO, bytes: json(10, { name: "nobody" }) },
  Kick: { before: HELLO, bytes: json(11, { id: "nobody" }) },
  Fetch: { before: HELLO, bytes: json(12, { id: "pi-7" }) },
};

/** Everything sent before a reset: all bytes up to each byte of the message. */
function partsOf({ before = new Uint8Array(0), bytes }: typeof MESSAGES[string]): number[][] {
  return Array.from({ length: bytes.length + 1 }, (_, length) => [...before, ...bytes.subarray(0, length)]);
}

async function startResetter({ port }: FaultyServer): Promise<Helper> {
  const helper = new Helper("reset.ts", { port } satisfies ResetJob, { permissions: ["--allow-ffi"] });
  await helper.answer();
  return helper;
}

/** Makes clients send their parts, and resets them once the server has read everything. */
async function resetWhenHeard(resetter: Helper, witness: Asker, parts: number[][]): Promise<void> {
  const expected = (await witness.stats()).bytes.received + parts.reduce((sum, { length }) => sum + length, 0);
  await resetter.ask({ parts, atOnce: false } satisfies ResetQuestion);
  const end = performance.now() + 10_000;
  // Each question itself has two bytes.
  for (let asked = 2; (await witness.stats()).bytes.received < expected + asked; asked += 2) {
    assertLess(performance.now(), end, "the server has not read everything that was sent");
  }
  await resetter.ask("reset" satisfies ResetQuestion);
}

testUnless(notLinux, "connections reset at any byte of any message leave nothing behind", async () => {
  const tested = Object.keys(MESSAGES);
  assertEquals(MESSAGE_NAMES.filter((name) => !tested.includes(name)), [], "not tested");
  await using server = await startFaulty();
  await using resetter = await startResetter(server);
  using witness = await Asker.dial(server);
  const descriptors = await server.descriptors();
  let count = 0;
  for (let round = 0; round < scale(1, 20); round++) {
    for (const [name, message] of Object.entries(MESSAGES)) {
      const parts = partsOf(message);
      await resetter.ask({ parts, atOnce: true } satisfies ResetQuestion);
      // A question on a new connection comes after them.
      await server.until(({ now }) => now.connections === 2);
      await resetWhenHeard(resetter, witness, parts);
      count += 2 * parts.length;
      const { now } = await server.until(({ now }) => now.connections === 2 && now.clients === 0);
      assertEquals([now.watchers, now.suspects, now.stateBytes], [0, 0, 0], name);
      assertEquals(await witness.map(), "{}", name);
    }
  }
  assertEquals(await server.descriptors(), descriptors);
  figure("resets that left no connection, client, watcher or descriptor", `${count}`);
});

testUnless(notLinux, "connections reset before they are accepted delay no client", async () => {
  await using server = await startFaulty();
  await using resetter = await startResetter(server);
  const count = scale(500, 5_000);
  const started = performance.now();
  await resetter.ask({ parts: Array.from({ length: count }, () => []), atOnce: true } satisfies ResetQuestion);
  using _asker = await Asker.dial(server);
  const took = performance.now() - started;
  // A pause after each would take a tenth of a second.
  assertLess(took / count, 10, "milliseconds for each");
  figure(`from the first of ${count} resets to the connection after them`, time(took));
});

testUnless(notLinux, "a named client that is reset stays in the map for its grace and no longer", async () => {
  await using server = await startFaulty();
  await using resetter = await startResetter(server);
  using witness = await Asker.dial(server);
  const open = bytesOf(json(4, { name: "pi-7", grace: 1 }), OPEN);
  await resetWhenHeard(resetter, witness, [[...open]]);
  await server.logged({ event: "suspect", id: "pi-7", cause: "disconnect" });
  await server.logged({ event: "leave", id: "pi-7", cause: "disconnect" });
  await server.until(({ now }) => now.connections === 2 && now.clients === 0 && now.suspects === 0);
});
