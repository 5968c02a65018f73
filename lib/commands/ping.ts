/**
 * `tracker ping`
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { connect, type ConnectOptions } from "../tcp/connect.ts";
import { TrackerError } from "../errors.ts";
import { CLIENT_FLAGS, clientOptions } from "../cli/flags/client_flags.ts";
import type { Command, Process } from "../cli/command.ts";
import { describe } from "../cli/failure.ts";
import { safeJson } from "../cli/text/escape.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { remark, write } from "../cli/terminal/output.ts";
import { patiently, serverOf } from "../cli/terminal/patience.ts";
import { RoundTrips } from "../cli/text/round_trips.ts";
import { sleep, stopSignal } from "../cli/terminal/signals.ts";
import { durationWithin, integer } from "../cli/flags/values.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  count: {
    placeholder: "COUNT",
    default: "0",
    description: "how many times to ask; 0 until Ctrl-C",
    parse: integer(0, 2 ** 31),
  },
  interval: {
    placeholder: "DURATION",
    default: "1s",
    description: "how long from one question to the next, from 10ms to 24h",
    parse: durationWithin("10ms", "24h"),
  },
  json: toggle("print a JSON object a line"),
} as const;

/** Measures round trips. */
export const pingCommand: Command = {
  name: "ping",
  summary: "Ask the server for signs of life, and print how long each takes.",
  details: [
    "Ctrl-C, or the last question, prints a summary and ends with exit code 0. A question that is not answered within " +
    "--timeout counts as lost; if all were, or the connection ends, the exit code is 1.",
    "With --json each answer is an object with the members seq and time, in milliseconds, or seq and error; the last " +
    "one has sent, answered, loss (0 to 1), min, avg, max and mdev.",
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker ping", meaning: "asks once a second until Ctrl-C" },
    { line: "tracker ping --count 1 --timeout 2s", meaning: "tells a script whether the server is well" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const options = await clientOptions(flags);
  const stop = stopSignal(process);
  try {
    const client = await patiently(options, connect({ ...options, signal: stop }));
    remark(`tracker: asking ${serverOf(options)}; Ctrl-C ends`);
    return await new Pinger(client, options, flags, stop).run();
  } catch (error) {
    if (!stop.aborted) throw error;
    return 0;
  }
}

interface PingFlags {
  readonly count: number;
  readonly interval: number;
  readonly json: boolean;
}

class Pinger {
  readonly #client: Client;
  readonly #options: ConnectOptions;
  readonly #flags: PingFlags;
  readonly #stop: AbortSignal;
  readonly #trips = new RoundTrips();

  constructor(client: Client, options: ConnectOptions, flags: PingFlags, stop: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#flags = flags;
    this.#stop = stop;
  }

  async run(): Promise<number> {
    try {
      await this.#askAll();
    } finally {
      this.#client.abort();
      await this.#summarize();
    }
    return this.#stop.aborted || this.#trips.answered !== 0 ? 0 : 1;
  }

  async #askAll(): Promise<void> {
    const { count, interval } = this.#flags;
    for (let seq = 1; !this.#stop.aborted; seq++) {
      const start = performance.now();
      await this.#ask(seq);
      if (seq === count) return;
      await sleep(interval - (performance.now() - start), this.#stop);
    }
  }

  async #ask(seq: number): Promise<void> {
    try {
      const time = await this.#client.ping({ signal: this.#stop });
      this.#trips.add(time);
      await this.#print(
        { seq, time: rounded(time) },
        `pong from ${serverOf(this.#options)}: seq=${seq} time=${inWords(time)} ms`,
      );
    } catch (error) {
      if (this.#stop.aborted) return;
      if (!(error instanceof TrackerError) || error.code !== "TIMEOUT" || this.#client.status !== "open") throw error;
      this.#trips.lose();
      await this.#print({ seq, error: error.code }, `no answer: seq=${seq} (${describe(error)})`);
    }
  }

  async #summarize(): Promise<void> {
    const { sent, answered, loss, ...times } = this.#trips.summary();
    const lines = [
      `--- ${serverOf(this.#options)} ---`,
      `${sent} sent, ${answered} answered, ${Math.round(loss * 100)}% lost`,
      ...answered === 0 ? [] : [
        `round trip min/avg/max/mdev = ${[times.min, times.avg, times.max, times.mdev].map(inWords).join("/")} ms`,
      ],
    ];
    const { min, avg, max, mdev } = times;
    const trip = { min: rounded(min), avg: rounded(avg), max: rounded(max), mdev: rounded(mdev) };
    await this.#print({ sent, answered, loss, ...times, ...trip }, lines.join("\n"));
  }

  async #print(form: unknown, line: string): Promise<void> {
    await write(`${this.#flags.json ? safeJson(form) : line}\n`);
  }
}

function inWords(milliseconds: number | null): string {
  return (milliseconds ?? 0).toFixed(3);
}

/** A time for programs: to the microsecond, which is more than can be measured. */
function rounded(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds * 1_000) / 1_000;
}
