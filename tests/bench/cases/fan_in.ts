/**
 * Fan-in: a fleet of clients, each sending one update at a time.
 *
 * @module
 */

import type { Measured } from "../generator.ts";
import type { Bench, Case, Measurement, Sample } from "../measurement.ts";
import { redis, stateOf, trackerMessages } from "../messages.ts";
import type { Peer } from "../peers.ts";
import { confirmStates } from "./confirm.ts";

const CONNECTIONS = 1_000;
const STATE_SIZE = 16;

export const fanIn: Case = {
  name: "fan-in",
  summary: "1,000 clients, one update a write, until all are applied",
  measurements: (quick): Measurement[] => [{
    parameter: `${CONNECTIONS.toLocaleString("en")} conn`,
    peers: ["tracker", "redis"],
    metrics: [{
      key: "rate",
      label: "updates",
      unit: "1/s",
      better: "more",
      targets: [{ against: "redis", ratio: 1 }],
    }],
    sample: (bench, peer) => sample(bench, peer, quick ? 20 : 200),
  }],
};

async function sample(bench: Bench, peer: Peer, rounds: number): Promise<Sample> {
  const measured = peer === "redis" ? await fanIntoRedis(bench, rounds) : await fanIntoTracker(bench, rounds);
  return { values: { rate: measured.count / measured.seconds }, cpu: measured.cpu };
}

/** Encodes a second Open: it replaces the state and is answered, which confirms every Update before it. */
async function fanIntoTracker(bench: Bench, rounds: number): Promise<Measured> {
  const { port, process } = await bench.server("tracker");
  await using generator = bench.generator();
  const messages = trackerMessages();
  const message = messages.update(stateOf(STATE_SIZE));
  const last = messages.open(stateOf(STATE_SIZE, "z"));
  const prelude = messages.open(stateOf(STATE_SIZE, "b"));
  await generator.perform({ kind: "connect", port, count: CONNECTIONS, first: 0, prelude, reply: 1 });
  const measured = await generator.measure({ kind: "fan", message, rounds, last, lastReply: 1 }, process);
  await confirmStates(generator, messages.get, stateOf(STATE_SIZE, "z"), CONNECTIONS);
  return measured;
}

async function fanIntoRedis(bench: Bench, rounds: number): Promise<Measured> {
  const { port, process } = await bench.server("redis");
  await using generator = bench.generator();
  const set = (letter: string) => redis("SET", "client#####", stateOf(STATE_SIZE, letter));
  const ok = "+OK\r\n".length;
  const prelude = [...set("b"), ...redis("CLIENT", "REPLY", "OFF")];
  await generator.perform({ kind: "connect", port, count: CONNECTIONS, first: 0, prelude, reply: ok });
  const last = [...set("z"), ...redis("CLIENT", "REPLY", "ON")];
  return await generator.measure({ kind: "fan", message: set("a"), rounds, last, lastReply: ok }, process);
}
