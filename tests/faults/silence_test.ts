/** Silence: a stalled program, a cut link, and how exactly the documented bound is kept. */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { eventually, type RunningServer, testUnless } from "../support/program.ts";
import { bytesOf, longLength, readExactly, writeFully } from "../support/bytes.ts";
import type { FleetJob, FleetState } from "./support/fleet.ts";
import { Helper } from "./support/helper.ts";
import { noHosts, TwoHosts } from "./support/hosts.ts";
import { figure, notLinux, scale, time } from "./support/scale.ts";
import { startFaulty } from "./support/server.ts";

/** Two and a half times the shortest heartbeat, in milliseconds. */
const BOUND = 2_500;

/** Tolerance above the bound on a busy machine, in milliseconds. */
const LATE = 300;

/** Difference between the clocks of two processes when rounded to milliseconds. */
const ROUNDING = 2;

/** Asserts that a silence lasted as long as the bound. */
function assertInBound(milliseconds: number, what: string): void {
  assertGreater(milliseconds, BOUND - ROUNDING, `${what}: too early`);
  assertLess(milliseconds, BOUND + LATE, `${what}: too late`);
}

/** Waits until a fleet of one has just had an answer, so that no more bytes come for a while. */
async function justHeard(fleet: Helper): Promise<FleetState> {
  const { wroteAt } = await fleet.ask<FleetState>({});
  for (;;) {
    const state = await fleet.ask<FleetState>({});
    if (state.wroteAt !== wroteAt && state.readAt >= state.wroteAt) return state;
    await delay(10);
  }
}

/** Wall-clock time at which an event was logged, in milliseconds. */
async function loggedAt(server: RunningServer, event: Record<string, unknown>): Promise<number> {
  return Date.parse(String((await server.logged(event)).time));
}

function hello(request: unknown): Uint8Array {
  const text = JSON.stringify(request);
  return bytesOf(42, 4, longLength(text.length), text);
}

testUnless(notLinux, "a stalled server drops no client for the stall, however long it was", async () => {
  await using server = await startFaulty();
  const connections = await Promise.all(Array.from({ length: 20 }, async (_, number) => {
    const connection = await Deno.connect({ port: server.port });
    await writeFully(connection, bytesOf(hello({ name: `raw-${number}`, heartbeat: 1 }), 42, 0, longLength(1), "s"));
    assertEquals(await readExactly(connection, 1), bytesOf(1));
    return connection;
  }));
  const job: FleetJob = {
    port: server.port,
    count: 20,
    options: { heartbeat: 1, grace: 20, reconnect: { base: 100, cap: 500 } },
  };
  await using fleet = new Helper("fleet.ts", job);
  await fleet.answer();
  for (const connection of connections) await writeFully(connection, bytesOf(42, 7));
  await server.until(({ messages }) => messages["wide"]?.["ping"] === 20);

  server.kill("SIGSTOP");
  const stall = scale(4_000, 15_000);
  await delay(stall);
  server.kill("SIGCONT");
  // They stay silent for a good part of the time they have left.
  await delay(1_000);
  const { errors, now } = await server.stats();
  assertEquals(errors["TIMEOUT"], undefined);
  for (const connection of connections) await writeFully(connection, bytesOf(42, 7));
  await server.until(({ messages }) => (messages["wide"]?.["ping"] ?? 0) >= 40);
  assertGreater(now.clients, 39);

  // Clients have a bound of their own: those that dropped the server are back under their names.
  await eventually(async () => (await fleet.ask<FleetState>({})).open, 20);
  const { closed, reasons, lost } = await fleet.ask<FleetState>({});
  assertEquals(closed, []);
  assertEquals(Object.keys(reasons), ["TIMEOUT"]);
  assertEquals((await server.stats()).now.clients, 40);
  for (const connection of connections) connection.close();
  figure("clients dropped by a stalled server", `0 of 40, in ${time(stall)}, with a bound of ${time(BOUND)}`);
  figure("clients of the library that dropped it meanwhile and were back afterwards", `${lost.length} of 20`);
});

testUnless(notLinux, "a client whose program stalls is dropped exactly at the bound", async () => {
  await using server = await startFaulty();
  await using fleet = new Helper("fleet.ts", { port: server.port, count: 1, options: { heartbeat: 1 } } as FleetJob);
  await fleet.answer();
  const rounds = scale(1, 5);
  const silences: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { wroteAt } = await justHeard(fleet);
    fleet.kill("SIGSTOP");
    const leftAt = await loggedAt(server, { event: "leave", id: "fleet-0", cause: "timeout" });
    fleet.kill("SIGCONT");
    silences.push(leftAt - wroteAt);
    await server.logged({ event: "join", id: "fleet-0" });
    await eventually(async () => (await fleet.ask<FleetState>({})).open, 1);
  }
  for (const silence of silences) assertInBound(silence, "the server's bound");
  const { ghost } = await server.stats();
  assertInBound(ghost.sum / ghost.count, "what the server counted");
  figure(`from the last byte of a stopped client to its leave, bound ${BOUND} ms`, `${silences.join(", ")} ms`);
});

testUnless(noHosts, "a silently cut link is noticed on both sides exactly at the bound", async () => {
  await using hosts = await TwoHosts.make();
  await using server = await startFaulty({ prefix: hosts.onFirst, args: ["--log", "json", "--host", hosts.address] });
  // The server warns that it listens for other hosts.
  await server.stderr.line();
  const { port } = server;
  const fleetOf = (options: FleetJob["options"]) => {
    const job = { hostname: hosts.address, port, count: 1, options } as FleetJob;
    return new Helper("fleet.ts", job, { prefix: hosts.onSecond });
  };
  const reconnect = { base: 200, cap: 500 };
  await using plain = fleetOf({ name: "plain", heartbeat: 1, timeout: 1_000, reconnect });
  await using patient = fleetOf({ name: "patient", heartbeat: 1, grace: 30, timeout: 1_000, reconnect });
  await using silent = fleetOf({ name: "silent", heartbeat: 0, timeout: 1_000, reconnect });
  for (const fleet of [plain, patient, silent]) await fleet.answer();
  const noticed: { server: number; client: number }[] = [];
  for (let round = 0; round < scale(1, 3); round++) {
    const { wroteAt, readAt } = await justHeard(plain);
    const before = await patient.ask<FleetState>({});
    await hosts.cut();
    const times = new Map<unknown, number>();
    while (times.size < 2) {
      const line: Record<string, unknown> = JSON.parse(await server.stderr.line());
      if (line.event === "leave" || line.event === "suspect") {
        assertEquals(line.cause, "timeout");
        assertEquals(line.id, line.event === "leave" ? "plain" : "patient");
        times.set(line.id, Date.parse(String(line.time)));
      }
    }
    const server_ = (times.get("plain") ?? NaN) - wroteAt;
    assertInBound(server_, "the server's bound");
    // Its last byte may have come just before the cut, after the question.
    assertGreater((times.get("patient") ?? NaN) - before.wroteAt, BOUND - ROUNDING);
    await eventually(async () => (await plain.ask<FleetState>({})).lost.length, round + 1);
    const { lost, reasons } = await plain.ask<FleetState>({});
    assertEquals(Object.keys(reasons), ["TIMEOUT"]);
    const client = (lost[round] ?? NaN) - readAt;
    assertInBound(client, "the client's bound");
    noticed.push({ server: server_, client });

    await hosts.mend();
    await server.logged({ event: "resume", id: "patient" });
    for (const fleet of [plain, patient]) {
      await eventually(async () => (await fleet.ask<FleetState>({})).open, 1);
      assertEquals((await fleet.ask<FleetState>({})).closed, []);
    }
  }
  // A client without a heartbeat is not missed.
  assert((await silent.ask<FleetState>({})).lost.length === 0);
  const list = (side: "server" | "client") => noticed.map((times) => times[side]).join(", ");
  figure(`a cut link, from the client's last byte to its leave, bound ${BOUND} ms`, `${list("server")} ms`);
  figure("the same on the client's side, from the server's last byte", `${list("client")} ms`);
});
