/**
 * `deno task bench web`: the web side beside what else there is, in one run.
 *
 * @module
 */

import { progress, write, writeError } from "../output.ts";
import { killAll, Process } from "../process.ts";
import { median } from "../statistics.ts";
import type { Manner } from "./client.ts";
import { measureRest } from "./rest.ts";
import { missingServers, type ServerName, startServer, type WebServer } from "./servers.ts";
import { measureStart } from "./start.ts";

/** How far to go. */
interface Scale {
  readonly rounds: number;
  /** Idle connections. */
  readonly idle: number;
  readonly watchers: number;
  readonly seconds: number;
}

const FULL: Scale = { rounds: 3, idle: 5_000, watchers: 1_000, seconds: 2 };
const QUICK: Scale = { rounds: 1, idle: 200, watchers: 50, seconds: 0.3 };

const isQuick = Deno.args.includes("--quick");
const scale = isQuick ? QUICK : FULL;
const missing = missingServers();
const here = new URL(".", import.meta.url).pathname;

/** The median of some rounds; `NaN` for another's server that is not installed, or does not work here. */
async function measure(what: string, name: ServerName, sample: () => Promise<number>): Promise<number> {
  if (missing.some(([other]) => other === name)) return NaN;
  const values: number[] = [];
  for (let round = 1; round <= scale.rounds; round++) {
    progress(`${what}: ${name}: round ${round} of ${scale.rounds}`);
    try {
      values.push(await sample());
    } catch (error) {
      if (name === "tracker") throw error;
      writeError(`\n${what}: ${name} was not measured: ${error instanceof Error ? error.message : error}\n`);
      return NaN;
    }
  }
  return median(values);
}

/** Memory of a server for each subscriber that has nothing to do, in bytes. */
function idle(name: ServerName, manner: Manner): Promise<number> {
  return measure(`idle ${manner}`, name, async () => {
    await using server = await startServer(name, ["--max-clients", "20000", "--max-watchers", "20000"]);
    const some = await startIdle(name, server.port, manner, Math.ceil(scale.idle / 10));
    await collectGarbage(server);
    const before = server.memory();
    const more = await startIdle(name, server.port, manner, scale.idle);
    await collectGarbage(server);
    const each = (server.memory() - before) / scale.idle;
    await some[Symbol.asyncDispose]();
    await more[Symbol.asyncDispose]();
    return each;
  });
}

/** A second of requests makes an engine of JavaScript take its room for garbage before it is measured, and use it again. */
async function collectGarbage({ name, port }: WebServer): Promise<void> {
  if (name !== "tracker" && name !== "deno") return;
  const args = ["-t1", "-c10", "-d1s", `http://127.0.0.1:${port}/health/live`];
  await new Deno.Command("wrk", { args, stdout: "null" }).output();
}

/** Those who are there first pay for what happens once. */
async function startIdle(name: ServerName, port: number, manner: Manner, count: number): Promise<Process> {
  const script = 'ulimit -n $(ulimit -Hn); exec "$0" "$@"';
  const args = ["run", "-N", `${here}idle.ts`, name, `${port}`, manner, `${count}`];
  const process = new Process("sh", ["-c", script, Deno.execPath(), ...args], { piped: true });
  const reader = process.output.getReader();
  if ((await reader.read()).done) throw new Error(`Cannot connect ${count} subscribers to ${name}`);
  reader.releaseLock();
  return process;
}

/** Deliveries a second from one writer to many WebSockets. */
function fan(name: ServerName): Promise<number> {
  return measure("fan-out", name, async () => {
    await using server = await startServer(name);
    const args = ["run", "-N", `${here}fan.ts`, name, `${server.port}`, `${scale.watchers}`, `${scale.seconds}`];
    const process = new Process(Deno.execPath(), args, { piped: true });
    const text = await new Response(process.output).text();
    await process.ended;
    return JSON.parse(text).rate;
  });
}

const kilobytes = (value: number) => Number.isNaN(value) ? "–" : `${(value / 1_000).toFixed(1)} KB`;
const thousands = (value: number) => Number.isNaN(value) ? "–" : `${(value / 1_000).toFixed(1)} k/s`;
const millions = (value: number) => Number.isNaN(value) ? "–" : `${(value / 1e6).toFixed(1)} M/s`;
const milliseconds = (value: number) => `${value.toFixed(1)} ms`;

interface Line {
  readonly what: string;
  readonly tracker: string;
  readonly others: string;
  readonly goal: string;
  readonly isMet: boolean;
}

async function idleLines(): Promise<Line[]> {
  const [tcp, socket, events] = [
    await idle("tracker", "tcp"),
    await idle("tracker", "websocket"),
    await idle("tracker", "events"),
  ];
  const nats = await idle("nats", "websocket");
  const mosquitto = await idle("mosquitto", "websocket");
  const nchan = [await idle("nchan", "websocket"), await idle("nchan", "events")] as const;
  const deno = await idle("deno", "websocket");
  const count = scale.idle.toLocaleString("en");
  return [
    { what: `idle watcher over TCP, of ${count}`, tracker: kilobytes(tcp), others: "", goal: "", isMet: true },
    {
      what: `idle watcher over WebSocket, of ${count}`,
      tracker: `${kilobytes(socket)} (${(socket / tcp).toFixed(2)} × TCP)`,
      others: `nats ${kilobytes(nats)}, mosquitto ${kilobytes(mosquitto)}, nchan ${kilobytes(nchan[0])}, Deno ${
        kilobytes(deno)
      }`,
      goal: "≤ 18 KB, ≤ 1.5 × TCP",
      isMet: socket <= 18_000 && socket <= 1.5 * tcp,
    },
    {
      what: `idle stream of events, of ${count}`,
      tracker: `${kilobytes(events)} (${(events / tcp).toFixed(2)} × TCP)`,
      others: `nchan ${kilobytes(nchan[1])}`,
      goal: "≤ 1.2 × TCP",
      isMet: events <= 1.2 * tcp,
    },
  ];
}

async function fanLine(): Promise<Line> {
  const [tracker, nats] = [await fan("tracker"), await fan("nats")];
  const ratio = tracker / nats;
  return {
    what: `1 → ${scale.watchers.toLocaleString("en")} WebSockets, deliveries`,
    tracker: millions(tracker),
    others: `nats ${millions(nats)} (${ratio.toFixed(1)} ×)`,
    goal: "≥ 3 × nats",
    isMet: ratio >= 3 || Number.isNaN(nats),
  };
}

const REST = [
  ["GET /clients/door", { path: "/clients/door" }, 35_000],
  ["PUT /clients/door", { path: "/clients/door", method: "PUT" }, 9_000],
  ["GET /map of 10 kB", { path: "/map" }, 15_000],
] as const;

async function restLines(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [what, request, goal] of REST) {
    const rateOf = (name: ServerName) =>
      measure(what, name, () => measureRest(name, { ...request, seconds: scale.seconds }));
    const [tracker, deno] = [await rateOf("tracker"), await rateOf("deno")];
    lines.push({
      what,
      tracker: thousands(tracker),
      others: `Deno.serve ${thousands(deno)}`,
      goal: `≥ ${goal / 1_000} k/s`,
      isMet: tracker >= goal,
    });
  }
  return lines;
}

async function startLine(): Promise<Line> {
  const [without, beside] = await measureStart(scale.rounds * 4, (round) => progress(`start: round ${round}`));
  return {
    what: "start, to the first connection",
    tracker: milliseconds(beside),
    others: `with --no-http ${milliseconds(without)}`,
    goal: "+ ≤ 2 ms",
    isMet: beside - without <= 2,
  };
}

function format(lines: readonly Line[]): string {
  const rows = [
    ["", "Tracker", "others", "goal", ""],
    ...lines.map(({ what, tracker, others, goal, isMet }) => {
      return [what, tracker, others, goal, goal === "" ? "" : isMet ? "met" : "missed"];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()).join("\n") +
    "\n";
}

try {
  for (const [name, debian] of missing) writeError(`${name} is not installed: apt-get install ${debian}\n`);
  const lines = [...await idleLines(), await fanLine(), ...await restLines(), await startLine()];
  progress("");
  write(format(lines));
  write(`Medians of ${scale.rounds} rounds. Readers that read nothing: deno task faults.\n`);
} finally {
  killAll();
}
