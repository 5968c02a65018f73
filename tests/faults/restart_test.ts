/** A server that dies and comes back, with its clients and mirrors. */

import { assert, assertEquals, assertLess } from "@std/assert";
import { connect } from "../../mod.ts";
import { eventually, testUnless } from "../support/program.ts";
import type { FleetJob, FleetState } from "./support/fleet.ts";
import { Helper } from "./support/helper.ts";
import { affordable, figure, notLinux, scale, size, time } from "./support/scale.ts";
import { Asker, startFaulty } from "./support/server.ts";

/** Width of a histogram's bars, in milliseconds. */
const BIN = 100;

function histogram(times: readonly number[]): number[] {
  const bins: number[] = [];
  for (const time of times) {
    const bin = Math.floor(time / BIN);
    while (bins.length <= bin) bins.push(0);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}

/** Makes a fleet reconnect to a server that was ended by a signal and started again. */
async function storm(signal: Deno.Signal, reason: string): Promise<void> {
  const count = affordable(scale(300, 10_000));
  const args = ["--log", "off"];
  await using first = await startFaulty({ args });
  const { port } = first;
  const job: FleetJob = { port, count };
  await using fleet = new Helper("fleet.ts", job);
  assertEquals((await fleet.answer<FleetState>()).open, count);
  const each = (await first.residentBytes()) / count;

  const died = Date.now();
  first.kill(signal);
  await first.status;
  await using second = await startFaulty({ args, port });
  const listens = Date.now();
  await second.until(({ now }) => now.clients === count, 120_000);
  const allBack = Date.now();
  await eventually(async () => (await fleet.ask<FleetState>({})).open, count);
  const { attempts, back, closed, reasons } = await fleet.ask<FleetState>({});
  assertEquals([closed, reasons], [[], { [reason]: count }]);
  const wanted = Array.from({ length: count }, (_, number) => `fleet-${number}=state ${number}`).sort();
  using asker = await Asker.dial(second);
  assertEquals((await asker.map()).slice(1, -1).split(", ").sort(), wanted);

  // The first attempts are due in the first second; without jitter all would come at once.
  const bins = histogram(attempts.map((at) => Math.max(0, at - died)));
  const firstSecond = bins.slice(0, 10);
  const mean = firstSecond.reduce((sum, bin) => sum + bin, 0) / firstSecond.length;
  assertLess(Math.max(...firstSecond), Math.max(3 * mean, mean + 30), `attempts in each ${BIN} ms: ${bins}`);
  const sorted = back.map((at) => at - listens).sort((one, other) => one - other);
  figure(`clients that reconnected after ${signal}`, `${count}; the server was away for ${time(listens - died)}`);
  figure("from listening again until all clients were back", time(allBack - listens));
  figure("from listening again until half of them were back", time(sorted[Math.floor(count / 2)] ?? NaN));
  figure(`attempts in each ${BIN} ms since it died`, bins.slice(0, 40).join(" ") + (bins.length > 40 ? " …" : ""));
  figure("the server's total memory for each client", size(each));
}

testUnless(notLinux, "a storm of clients reconnecting to a killed server is spread out and served", () => {
  return storm("SIGKILL", "CONNECTION_CLOSED");
});

testUnless(notLinux, "a storm of clients reconnecting to a stopped server is spread out and served", () => {
  return storm("SIGTERM", "SHUTTING_DOWN");
});

testUnless(notLinux, "a server that is killed and restarted regains all states, and a mirror follows", async () => {
  const count = scale(50, 500);
  await using first = await startFaulty({ args: ["--log", "off"] });
  const { port } = first;
  const reconnect = { base: 50, cap: 500 };
  const connecting = Array.from({ length: count }, (_, number) => {
    return connect({ port, name: `pi-${number}`, state: `${number}, first`, reconnect });
  });
  const clients = await Promise.all(connecting);
  const [observer] = clients;
  assert(observer !== undefined);
  const mirror = observer.mirror();
  await mirror.synced;
  assertEquals(mirror.getText("pi-0"), "0, first");

  first.kill("SIGKILL");
  await first.status;
  // Updates made while there is no server reach the next one.
  for (const [number, client] of clients.entries()) {
    if (number % 2 === 0) client.update(`${number}, second`);
  }
  const stateOf = (number: number) => `${number}, ${number % 2 === 0 ? "second" : "first"}`;
  await using second = await startFaulty({ args: ["--log", "off"], port });
  const listens = performance.now();
  await second.until(({ now }) => now.clients === count);
  const isRight = () => clients.every((_, number) => mirror.getText(`pi-${number}`) === stateOf(number));
  await new Promise<void>((resolve) => {
    const stop = mirror.subscribe(() => {
      if (isRight()) resolve();
    });
    if (isRight()) resolve();
    void mirror.finished.then(() => {
      stop();
      resolve();
    });
  });
  const took = performance.now() - listens;
  assert(isRight());
  assertEquals(mirror.size, count);
  const { records } = await observer.list();
  assertEquals(
    records.map(({ id, state }) => `${id}: ${new TextDecoder().decode(state)}`).sort(),
    clients.map((_, number) => `pi-${number}: ${stateOf(number)}`).sort(),
  );
  await mirror.close();
  await Promise.all(clients.map((client) => client.close()));
  figure(`from listening again to ${count} states and a mirror right`, time(took));
});
