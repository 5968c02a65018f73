/**
 * `tracker open`
 *
 * @module
 */

import { Client } from "../client/client.ts";
import { DEFAULT_HEARTBEAT } from "../client/options.ts";
import { type ConnectOptions, dialer } from "../tcp/connect.ts";
import { TrackerError } from "../errors.ts";
import { CLIENT_FLAGS, clientOptions, dialectFlag } from "../cli/flags/client_flags.ts";
import type { Command, Process } from "../cli/command.ts";
import { CommandError } from "../cli/command_error.ts";
import { describe } from "../cli/failure.ts";
import { type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { readLines } from "../cli/text/lines.ts";
import { complain, remark } from "../cli/terminal/output.ts";
import { patiently, serverOf } from "../cli/terminal/patience.ts";
import { aborted, stopSignal } from "../cli/terminal/signals.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { clientName, durationWithin } from "../cli/flags/values.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  dialect: dialectFlag,
  name: {
    placeholder: "NAME",
    default: "",
    description: "the identifier to have in the map; without, the server gives a number",
    parse: clientName,
  },
  heartbeat: {
    placeholder: "DURATION",
    default: "",
    description:
      `say something at least that often, from 1s to 1h, so that both sides notice when the other has vanished; ` +
      `${DEFAULT_HEARTBEAT}s if it is to reconnect, otherwise none`,
    parse: (text: string) => text === "" ? undefined : durationWithin("1s", "1h", true)(text),
  },
  grace: {
    placeholder: "DURATION",
    default: "0",
    description: "how long a named client stays in the map when its connection is lost, up to 24h",
    parse: durationWithin("1s", "24h", true),
  },
  takeover: toggle("take the name even from another client that is connected"),
  reconnect: toggle("wait for the server, and come back with the latest state whenever the connection is lost"),
} as const;

type OpenFlags = FlagValues<typeof FLAGS>;

const POSITIONALS = { placeholder: "[STATE]", most: 1 } as const;

/** Is a client. */
export const openCommand: Command = {
  name: "open",
  summary: "Be a client: open with a state, and update it with each line of standard input.",
  details: [
    "The client stays in the map until its input ends, or Ctrl-C or SIGTERM closes it: exit code 0. If the server " +
    "goes away, it says so and ends with exit code 1, unless it is to --reconnect: then it says so and comes back. " +
    "Whoever loses the name to another client ends with exit code 1 in any case.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker open idle", meaning: "opens with the state 'idle'; type a line to change it" },
    { line: "sensor | tracker open", meaning: "opens with an empty state; each line a sensor prints is the next" },
    {
      line: 'sensor | tracker open --name "$(hostname)" --grace 30s --reconnect',
      meaning: "the same under a name, whatever becomes of the network; a short gap shows as suspect, not as a leave",
    },
    { line: "tracker open -- -1", meaning: "opens with a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags, positionals: [state = ""] } = parseFlags(args, FLAGS, POSITIONALS);
  const presence = presenceOf(flags);
  const shared = await clientOptions(flags);
  // With nothing of all that it needs no Hello, and can talk to any server.
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
    // Asked to stop before it was open: there is nothing to close.
    if (!stop.aborted) throw error;
  } finally {
    client.abort();
    await client.finished;
  }
  return 0;
}

/** What the flags say of the client's being there. */
function presenceOf({ name, heartbeat, grace, takeover, reconnect }: OpenFlags): ConnectOptions {
  if (name === undefined && grace !== 0) throw new UsageError("--grace needs a --name: who has none is not waited for");
  if (name === undefined && takeover) throw new UsageError("--takeover needs a --name to take over");
  return {
    ...reconnect && { reconnect },
    ...takeover && { takeover },
    ...name !== undefined && { name },
    ...heartbeat !== undefined && { heartbeat: heartbeat / 1_000 },
    ...grace !== 0 && { grace: grace / 1_000 },
  };
}

/** Says on standard error what becomes of the connection: when it is lost, why, and when it is back. */
function tellStatus(client: Client, server: string): void {
  let said = "";
  client.onStatus(({ status, error }) => {
    // Each attempt fails for the same reason as the one before. The end is told by whoever waits for it.
    if (status === "closed" || (error?.code ?? "") === said) return;
    said = error?.code ?? "";
    complain(
      error === null ? `tracker: connected to ${server}` : `tracker: waiting for ${server}: ${describe(error)}`,
    );
  });
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
