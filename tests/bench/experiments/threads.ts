/**
 * Measures the upper bound of what several accepting threads could gain: each thread keeps a map of its own, so nothing
 * is merged and nothing waits.
 *
 * @module
 */

import { Generator, type Measured } from "../generator.ts";
import { redis } from "../messages.ts";
import { write } from "../output.ts";
import { start } from "../peers.ts";
import { accepting, freePort, killAll, Process } from "../process.ts";
import { median } from "../statistics.ts";

const ROUNDS = 5;
const CONNECTIONS = 50;
const SECONDS = 1;
const THREADS = [1, 2, 4] as const;

/** Reply to Get: one byte of length and the map. */
const REPLY = 1 + "{client1=ready}".length;

/** Time that the slowest thread may take to listen, in milliseconds. */
const WARM_UP = 500;

async function measureThreads(threads: number): Promise<Measured> {
  const port = freePort();
  const program = new URL("./threads_server.ts", import.meta.url).pathname;
  await using server = new Process(
    Deno.execPath(),
    ["run", "--unstable-net", "-N", "-R", program, `${port}`, `${threads}`],
  );
  await accepting(server, port);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP));
  return await measure(server, port, [42, 3], REPLY);
}

async function measureRedis(): Promise<Measured> {
  await using server = await start("redis");
  await using holder = new Generator();
  const prelude = redis("SET", "map", "{client1=ready}");
  await holder.perform({ kind: "connect", port: server.port, count: 1, first: 0, prelude, reply: "+OK\r\n".length });
  return await measure(server.process, server.port, redis("GET", "map"), "$15\r\n{client1=ready}\r\n".length);
}

async function measure(server: Process, port: number, request: readonly number[], reply: number): Promise<Measured> {
  await using generator = new Generator();
  await generator.perform({ kind: "connect", port, count: CONNECTIONS, first: 0, prelude: request, reply });
  const job = { kind: "ask", request, reply, seconds: SECONDS } as const;
  await generator.perform(job);
  return await generator.measure(job, server);
}

async function run(): Promise<void> {
  const runs = new Map<string, () => Promise<Measured>>();
  for (const threads of THREADS) runs.set(`${threads} accepting`, () => measureThreads(threads));
  runs.set("redis", measureRedis);
  const results = new Map<string, Measured[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, sample] of runs) results.set(name, [...results.get(name) ?? [], await sample()]);
  }
  const rate = (name: string) => median((results.get(name) ?? []).map(({ count, seconds }) => count / seconds));
  write(`${navigator.hardwareConcurrency} processors, ${CONNECTIONS} connections, request and reply\n`);
  for (const [name, measured] of results) {
    const server = median(measured.map(({ cpu }) => cpu.server));
    const generator = median(measured.map(({ cpu }) => cpu.generator));
    write(
      `${name.padEnd(12)} ${Math.round(rate(name) / 1_000)} k/s  ${(rate(name) / rate("1 accepting")).toFixed(2)} ×  ` +
        `processor use ${Math.round(server * 100)}/${Math.round(generator * 100)}%\n`,
    );
  }
}

try {
  await run();
} finally {
  killAll();
}
