/**
 * `tracker ping`
 *
 * @module
 */

import { delay } from "../base/async.ts";
import type { Command, Process } from "../cli/command.ts";
import { describe } from "../cli/failure.ts";
import { CLIENT_FLAGS, clientOptions } from "../cli/flags/client_flags.ts";
import { type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { durationWithin, integer } from "../cli/flags/values.ts";
import { RoundTrips } from "../cli/inspect/round_trips.ts";
import { remark, write, writeJson } from "../cli/terminal/output.ts";
import { patiently, serverOf } from "../cli/terminal/patience.ts";
import { stopSignal } from "../cli/terminal/signals.ts";
import type { Client } from "../client/client.ts";
import { TrackerError } from "../errors.ts";
import { connect } from "../tcp/connect.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  count: {
    placeholder: "COUNT",
    default: "0",
    description: "how many pings to send; 0 for no limit",
    parse: integer(0, 2 ** 31),
  },
  interval: {
    placeholder: "DURATION",
    default: "1s",
    description: "time from one ping to the next, from 10ms to 24h",
    parse: durationWithin("10ms", "24h"),
  },
  json: toggle("print a JSON object per line"),
} as const;

/** Measures round trips. */
export const pingCommand: Command = {
  name: "ping",
  summary: "Ping the server, and print how long each reply takes.",
  details: [
    "Ends on Ctrl-C or after the last ping, prints a summary, and exits with code 0. A ping that is not answered within " +
    "--timeout counts as lost; if all are lost, or the connection ends, the exit code is 1.",
    "With --json each reply is an object with the members seq and time, in milliseconds, or seq and error; the last " +
    "object has sent, answered, loss (0 to 1), min, avg, max and mdev.",
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker ping", meaning: "pings once a second until Ctrl-C" },
    { line: "tracker ping --count 1 --timeout 2s", meaning: "tells a script whether the server answers" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const options = await clientOptions(flags);
  const stop = stopSignal(process);
  try {
    const client = await patiently(options, connect({ ...options, signal: stop }));
    remark(`tracker: pinging ${serverOf(options)}; Ctrl-C ends`);
    return await new Pinger(client, serverOf(options), flags, stop).run();
  } catch (error) {
    if (!stop.aborted) throw error;
    return 0;
  }
}

/** The flags besides those of the connection. */
type PingFlags = Pick<FlagValues<typeof FLAGS>, "count" | "interval" | "json">;

/** Sends pings one after the other, and prints each reply and a summary. */
class Pinger {
  readonly #client: Client;
  readonly #server: string;
  readonly #flags: PingFlags;
  readonly #stop: AbortSignal;
  readonly #trips = new RoundTrips();

  constructor(client: Client, server: string, flags: PingFlags, stop: AbortSignal) {
    this.#client = client;
    this.#server = server;
    this.#flags = flags;
    this.#stop = stop;
  }

  async run(): Promise<number> {
    try {
      await this.#pingAll();
    } finally {
      this.#client.abort();
      await this.#summarize();
    }
    return this.#stop.aborted || this.#trips.answered !== 0 ? 0 : 1;
  }

  async #pingAll(): Promise<void> {
    const { count, interval } = this.#flags;
    for (let seq = 1; !this.#stop.aborted; seq++) {
      const start = performance.now();
      await this.#ping(seq);
      if (seq === count) return;
      await delay(Math.max(0, interval - (performance.now() - start)), this.#stop);
    }
  }

  async #ping(seq: number): Promise<void> {
    try {
      const time = await this.#client.ping({ signal: this.#stop });
      this.#trips.add(time);
      await this.#print(
        { seq, time: rounded(time) },
        `pong from ${this.#server}: seq=${seq} time=${inWords(time)} ms`,
      );
    } catch (error) {
      if (this.#stop.aborted) return;
      if (!(error instanceof TrackerError) || error.code !== "TIMEOUT" || this.#client.status !== "open") throw error;
      this.#trips.lose();
      await this.#print({ seq, error: error.code }, `no answer: seq=${seq} (${describe(error)})`);
    }
  }

  async #summarize(): Promise<void> {
    const { sent, answered, loss, min, avg, max, mdev } = this.#trips.summary();
    const lines = [
      `--- ${this.#server} ---`,
      `${sent} sent, ${answered} answered, ${Math.round(loss * 100)}% lost`,
      ...answered === 0 ? [] : [
        `round trip min/avg/max/mdev = ${[min, avg, max, mdev].map(inWords).join("/")} ms`,
      ],
    ];
    const trip = { min: rounded(min), avg: rounded(avg), max: rounded(max), mdev: rounded(mdev) };
    await this.#print({ sent, answered, loss, ...trip }, lines.join("\n"));
  }

  async #print(form: unknown, line: string): Promise<void> {
    if (this.#flags.json) await writeJson(form);
    else await write(`${line}\n`);
  }
}

function inWords(milliseconds: number | null): string {
  return (milliseconds ?? 0).toFixed(3);
}

/** Rounds a time for programs to the microsecond, which is finer than can be measured. */
function rounded(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds * 1_000) / 1_000;
}
