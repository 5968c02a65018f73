/**
 * `tracker open`
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import type { Command, Process } from "../cli/command.ts";
import { CommandError } from "../cli/command_error.ts";
import { describe } from "../cli/failure.ts";
import { CLIENT_FLAGS, clientOptions, dialectFlag } from "../cli/flags/client_flags.ts";
import { type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { clientName, durationWithin } from "../cli/flags/values.ts";
import { readLines } from "../cli/terminal/lines.ts";
import { complain, remark } from "../cli/terminal/output.ts";
import { patiently, serverOf } from "../cli/terminal/patience.ts";
import { aborted, stopSignal } from "../cli/terminal/signals.ts";
import { Client } from "../client/client.ts";
import { DEFAULT_HEARTBEAT } from "../client/options.ts";
import { TrackerError } from "../errors.ts";
import { type ConnectOptions, dialer } from "../tcp/connect.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  dialect: dialectFlag,
  name: {
    placeholder: "NAME",
    default: "",
    description: "the identifier in the map; without it, the server assigns a number",
    parse: clientName,
  },
  heartbeat: {
    placeholder: "DURATION",
    default: "",
    description:
      `send something at least this often, from 1s to 1h, so that each side notices when the other has vanished; ` +
      `0 for never; unless given, ${DEFAULT_HEARTBEAT}s if it reconnects, otherwise never`,
    parse: (text: string) => text === "" ? undefined : durationWithin("1s", "1h", true)(text),
  },
  grace: {
    placeholder: "DURATION",
    default: "0",
    description: "how long a named client stays in the map after its connection is lost, up to 24h",
    parse: durationWithin("1s", "24h", true),
  },
  takeover: toggle("take the name even from a connected client"),
  reconnect: toggle("wait for the server, and reconnect with the latest state whenever the connection is lost"),
} as const;

type OpenFlags = FlagValues<typeof FLAGS>;

const POSITIONALS = { placeholder: "[STATE]", most: 1 } as const;

/** Runs a client. */
export const openCommand: Command = {
  name: "open",
  summary: "Be a client: open with a state, and update it with each line of standard input.",
  details: [
    "The client stays in the map until its input ends, or Ctrl-C or SIGTERM closes it; the exit code is then 0. When the " +
    "connection is lost, it says so and ends with exit code 1, or with --reconnect it says so and comes back. A client " +
    "that loses its name to another one always ends with exit code 1.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker open idle", meaning: "opens with the state 'idle'; type a line to change it" },
    {
      line: "sensor | tracker open",
      meaning: "opens with an empty state; each line that the sensor prints is the next state",
    },
    {
      line: 'sensor | tracker open --name "$(hostname)" --grace 30s --reconnect',
      meaning: "the same under a name, across network failures; a short gap shows as suspect, not as a leave",
    },
    { line: "tracker open -- -1", meaning: "opens with a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags, positionals: [state = ""] } = parseFlags(args, FLAGS, POSITIONALS);
  const presence = presenceOf(flags);
  const shared = await clientOptions(flags);
  // Without any of these it needs no Hello, and can talk to any server.
  const isPlain = shared.token === undefined && Object.keys(presence).length === 0;
  const options = { ...shared, ...presence, dialect: flags.dialect, state, ...isPlain && { hello: false } };
  const stop = stopSignal(process);
  const client = new Client({ ...options, dial: dialer(options), signal: stop });
  if (flags.reconnect) tellStatus(client, serverOf(options));
  try {
    await patiently(options, client.connected);
    remark("tracker: client is open; each line is an update, Ctrl-C closes");
    await stay(client, stop, serverOf(options));
  } catch (error) {
    // It was asked to stop before it was open: there is nothing to close.
    if (!stop.aborted) throw error;
  } finally {
    client.abort();
    await client.finished;
  }
  return 0;
}

/** Reads from the flags how the client is present in the map. */
function presenceOf({ name, heartbeat, grace, takeover, reconnect }: OpenFlags): ConnectOptions {
  if (name === undefined && grace !== 0) {
    throw new UsageError("--grace needs a --name: the server does not wait for a client without one");
  }
  if (name === undefined && takeover) throw new UsageError("--takeover needs a --name to take over");
  return {
    ...reconnect && { reconnect },
    ...takeover && { takeover },
    ...name !== undefined && { name },
    ...heartbeat !== undefined && { heartbeat: heartbeat / 1_000 },
    ...grace !== 0 && { grace: grace / 1_000 },
  };
}

/** Reports on standard error when the connection is lost, why, and when it is back. */
function tellStatus(client: Client, server: string): void {
  let told = "";
  client.onStatus(({ status, error }) => {
    // Repeated attempts fail for the same reason. The end is reported elsewhere.
    if (status === "closed" || (error?.code ?? "") === told) return;
    told = error?.code ?? "";
    complain(
      error === null ? `tracker: connected to ${server}` : `tracker: waiting for ${server}: ${describe(error)}`,
    );
  });
}

/** Sends updates until the input ends, the connection is lost, or it is asked to stop. */
async function stay(client: Client, stop: AbortSignal, address: string): Promise<void> {
  const lost = client.finished.then(() => {
    throw new CommandError(`stay open at ${address}`, client.error);
  });
  // It also rejects when the client is closed, and then nothing waits for it.
  lost.catch(ignore);
  try {
    await Promise.race([lost, update(client), aborted(stop)]);
  } catch (error) {
    // An update fails a moment before the client knows why: the server's last reply explains it better.
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
