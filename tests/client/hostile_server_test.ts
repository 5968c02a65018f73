/** What a client takes from a server that means ill: every field has a limit and a range. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { connect, type Greeting, Registry } from "../../mod.ts";
import { decodeEvents, decodeList, EventWriter, MAX_GREETING, MAX_REPORT, parseGreeting } from "../../lib/wire/mod.ts";
import { writeAll } from "../../lib/transport/duplex.ts";
import { Deadline } from "../../lib/base/deadlines.ts";
import { toBytes } from "../../lib/base/bytes.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { ConnectionBench } from "../support/connection_bench.ts";
import { codeOf } from "../support/errors.ts";
import { GREETING, greetingReply } from "../support/greeting.ts";
import { createPair } from "../support/memory.ts";

Deno.test("a greeting or report that is too long is refused from its length alone", async () => {
  for (const length of [MAX_GREETING + 1, 262_000_000, 2 ** 40]) {
    await using bench = new ConnectionBench();
    const failing = codeOf(bench.client.hello());
    await bench.answer(bytesOf(1, longLength(length)));
    assertEquals(await failing, "BAD_REPLY");
  }
  await using bench = new ConnectionBench();
  const failing = codeOf(bench.client.hello().then(() => bench.client.stats()));
  await bench.answer(bytesOf(greetingReply(), longLength(MAX_REPORT + 1)));
  assertEquals(await failing, "BAD_REPLY");
});

Deno.test("a list or frame above maxMap is refused from its length alone", async () => {
  const asks: [(bench: ConnectionBench) => Promise<unknown>, Uint8Array][] = [
    [({ client }) => client.list(), bytesOf()],
    [({ client }) => client.watch({}, () => {}).then(() => client.finished), bytesOf(1)],
  ];
  for (const [ask, answer] of asks) {
    await using bench = new ConnectionBench({ maxMap: 1_000 });
    const greeting = bench.client.hello();
    await bench.answer(greetingReply());
    await greeting;
    const asking = ask(bench).catch(() => {});
    await bench.answer(answer, longLength(1_001));
    await asking;
    await bench.client.finished;
    assertEquals(bench.client.error?.code, "REPLY_TOO_LARGE");
  }
});

Deno.test("every field of a greeting has a limit and a range", () => {
  const parse = (greeting: unknown) => parseGreeting(toBytes(JSON.stringify(greeting)));
  const good: Partial<Greeting>[] = [
    { server: "x".repeat(64), version: "1".repeat(64) },
    { incarnation: "i".repeat(255), id: "pi-7", resume: "k".repeat(256) },
    { heartbeat: 1 },
    { heartbeat: 3_600, grace: 86_400, maxState: 2 ** 30, edition: 2 },
  ];
  for (const members of good) assertEquals(parse({ ...GREETING, ...members }), { ...GREETING, ...members });
  const bad: Record<keyof Greeting, unknown[]> = {
    server: ["x".repeat(65), 1, null],
    version: ["x".repeat(65), 1, null],
    incarnation: ["", "i".repeat(256), "two words", "\u001b[2J", 7],
    id: ["", "client1", "x".repeat(129), "a b", 7],
    resume: ["k".repeat(257), "k".repeat(5_000), "\n", 7],
    heartbeat: [1e303, -1, 0.5, 3_601, "1", null],
    grace: [-1, 86_401, 1e303, null],
    maxState: [-1, 0.5, 2 ** 30 + 1, 1e303, null],
    edition: [0, 1.5, 1e9, "2", null],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assertEquals(codeThrownBy(() => parse({ ...GREETING, [name]: value })), "BAD_REPLY", `${name} ${value}`);
    }
  }
});

Deno.test("a heartbeat out of range never reaches a timer", async () => {
  const [near, far] = createPair();
  const connecting = codeOf(connect({ dial: () => Promise.resolve(near), heartbeat: 1 }));
  await far.write(greetingReply({ ...GREETING, heartbeat: 1e303 }));
  assertEquals(await connecting, "BAD_REPLY");
  assert(!new Deadline(() => {}).armed);
  far.close();
});

Deno.test("a time that no date can have, and a frame of very many events, are refused", () => {
  const present = bytesOf(1, longLength(1), 0, 1, "a", 0);
  const [state, never] = [bytesOf(0, 0, 0, 0), bytesOf(0, 31, 255, 255, 255, 255, 255, 255)];
  const times = [longLength(1), longLength(1), longLength(0)];
  assertEquals(decodeEvents(bytesOf(present, ...times, state)).length, 1);
  for (let at = 0; at < 3; at++) {
    const wrong = times.with(at, never);
    assertEquals(codeThrownBy(() => decodeEvents(bytesOf(present, ...wrong, state))), "BAD_REPLY");
  }
  const record = bytesOf(longLength(1), 0, 1, "a", 0, longLength(1));
  assertEquals(codeThrownBy(() => decodeList(bytesOf(record, never, longLength(1), state))), "BAD_REPLY");
  const pong = bytesOf(8, longLength(1), 0, 0);
  const pongs = new Uint8Array(pong.length * 65_537);
  for (let at = 0; at < pongs.length; at += pong.length) pongs.set(pong, at);
  assertEquals(decodeEvents(pongs.subarray(pong.length)).length, 65_536);
  assertEquals(codeThrownBy(() => decodeEvents(pongs)), "BAD_REPLY");
});

Deno.test("endless joins end a mirror at maxMap, in a snapshot and after it", async () => {
  for (const isSynced of [false, true]) {
    const [near, far] = createPair();
    const duplexes = [createPair(), [near, far] as const];
    const dial = () => Promise.resolve(duplexes.shift()![0]);
    const [control] = duplexes.map(([, server]) => server);
    const connecting = connect({ dial, maxMap: 100_000 });
    await control!.write(greetingReply());
    const client = await connecting;
    const mirror = client.mirror();
    await writeAll(far, bytesOf(greetingReply(), 1));
    const { sent, ended } = await flood(far, isSynced);
    await mirror.finished;
    assertEquals(mirror.error?.code, "REPLY_TOO_LARGE", mirror.error?.message);
    assert(ended);
    // Not many more than fit: each takes at least 128 bytes.
    assertLess(sent, 2_000);
    client.abort();
    await client.finished;
    for (const each of [control!, far]) if (!each.closed) each.close();
  }
});

/** Sends joins until the client has had enough. Returns how many. */
async function flood(
  far: ReturnType<typeof createPair>[1],
  isSynced: boolean,
): Promise<{ sent: number; ended: boolean }> {
  const writer = new EventWriter();
  const registry = new Registry();
  writer.snapshot(0);
  if (isSynced) writer.synced(0, "x");
  let sent = 0;
  try {
    for (; sent < 20_000; sent++) {
      const entry = registry.open("s");
      if (isSynced) writer.state("join", entry.revision, entry);
      else writer.present(entry);
      if (sent % 50 === 49) await writeAll(far, writer.finish());
    }
  } catch {
    return { sent, ended: true };
  }
  return { sent, ended: false };
}

function codeThrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}
