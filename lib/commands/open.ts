/**
 * `tracker open`
 *
 * @module
 */

import { type Client, connect } from "../client.ts";
import { TrackerError } from "../errors.ts";
import { dialectFlag, serverFlag, timeoutFlag } from "./client_flags.ts";
import type { Command, Process } from "./command.ts";
import { CommandError } from "./command_error.ts";
import { parseFlags } from "./flags.ts";
import { readLines } from "./lines.ts";
import { remark } from "./output.ts";
import { aborted, stopSignal } from "./signals.ts";

import { formatAddress } from "../tcp.ts";

const FLAGS = { server: serverFlag, dialect: dialectFlag, timeout: timeoutFlag } as const;

const POSITIONALS = { placeholder: "[STATE]", most: 1 } as const;

/** Is a client. */
export const openCommand: Command = {
  name: "open",
  summary: "Be a client: open with a state, and update it with each line of standard input.",
  details: [
    "The client stays in the map until its input ends, or Ctrl-C or SIGTERM closes it: exit code 0. If the server " +
    "goes away, it says so and ends with exit code 1.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker open idle", meaning: "opens with the state 'idle'; type a line to change it" },
    { line: "sensor | tracker open", meaning: "opens with an empty state; each line a sensor prints is the next" },
    { line: "tracker open -- -1", meaning: "opens with a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags: { server, dialect, timeout }, positionals: [state = ""] } = parseFlags(args, FLAGS, POSITIONALS);
  const stop = stopSignal(process);
  try {
    // It needs nothing that a Hello opens: so it can talk to any server.
    const client = await connect({ ...server, dialect, timeout, state, hello: false, signal: stop });
    try {
      remark("tracker: client is open; each line is an update, Ctrl-C closes");
      await stay(client, stop, formatAddress(server));
    } finally {
      client.abort();
    }
  } catch (error) {
    // Asked to stop before it was open: there is nothing to close.
    if (!stop.aborted) throw error;
  }
  return 0;
}

/** Sends updates until there is a reason to stop. */
async function stay(client: Client, stop: AbortSignal, address: string): Promise<void> {
  const lost = client.finished.then(() => {
    throw new CommandError(`stay open at ${address}`, client.error);
  });
  // Also lost when we leave; then nobody waits for it.
  lost.catch(() => {});
  try {
    await Promise.race([lost, update(client), aborted(stop)]);
  } catch (error) {
    // An update fails a moment before the client knows why: the server's last words say it better.
    if (client.error !== null) await lost;
    throw error;
  }
  await client.close();
}

async function update(client: Client): Promise<void> {
  try {
    for await (const line of readLines(Deno.stdin.readable)) await client.update(line);
  } catch (error) {
    if (error instanceof TrackerError) throw error;
    throw new CommandError("read standard input", error);
  }
}
