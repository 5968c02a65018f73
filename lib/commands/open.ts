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
import { isTransient, messageOf, TrackerError } from "../errors.ts";
import { type Dialect, MAX_COMPACT_LENGTH } from "../protocol.ts";
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
  stay: toggle("stay in the map when standard input ends, as for a service; a terminal is not read at all"),
  reconnect: toggle("wait for the server, and reconnect with the latest state whenever the connection is lost"),
} as const;

type OpenFlags = FlagValues<typeof FLAGS>;

const POSITIONALS = { placeholder: "[STATE]", most: 1 } as const;

/** Runs a client. */
export const openCommand: Command = {
  name: "open",
  summary: "Be a client: open with a state, and update it with each line of standard input.",
  details: [
    "The client stays in the map until its input ends, unless --stay is given, or Ctrl-C or SIGTERM closes it; the exit " +
    "code is then 0. With --grace SIGTERM leaves it there, suspect, for a planned restart. A last line that no connection " +
    "can take within --timeout ends it with exit code 1. When the " +
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
    {
      line: 'tracker open up --name "$(hostname)" --stay --reconnect --grace 30s',
      meaning: "for systemd, cron, a container or &: stays without any input until it is told to stop",
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
  const client = new Client({ ...options, dial: options.dial ?? dialer(options), signal: stop });
  if (flags.reconnect) tellStatus(client, serverOf(options));
  try {
    const opening = patiently(options, client.connected).then(() => {
      remark("tracker: client is open; each line is an update, Ctrl-C closes");
    });
    // A client that waits for its server reads on meanwhile: what matters is the latest line.
    if (flags.reconnect) opening.catch(ignore);
    else await opening;
    await stay(client, flags, stop, { server: serverOf(options), state, opening });
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

/** What a client was opened with. */
interface Opening {
  readonly server: string;
  readonly state: string;
  /** Settles when it is open for the first time, or cannot be. */
  readonly opening: Promise<void>;
}

/** Sends updates until the input ends, the connection is lost, or it is asked to stop. */
async function stay(client: Client, flags: OpenFlags, stop: AbortSignal, opening: Opening): Promise<void> {
  const { server, state } = opening;
  const lost = client.finished.then(async () => {
    await opening.opening;
    throw new CommandError(`stay open at ${server}`, client.error);
  });
  // It also rejects when the client is closed, and then nothing waits for it.
  lost.catch(ignore);
  const input = new Input(client, flags.dialect, state);
  try {
    await Promise.race([lost, flags.stay ? input.followQuietly(stop) : input.follow(), aborted(stop)]);
    if (!stop.aborted) await Promise.race([lost, deliver(client, input.latest, flags), aborted(stop)]);
  } catch (error) {
    // An update fails a moment before the client knows why: the server's last reply explains it better.
    if (client.error !== null && client.status === "closed") await lost;
    throw error;
  }
  // Whoever restarts a service sends SIGTERM, and the server is to wait for it.
  if (stop.reason === "SIGTERM" && flags.grace !== 0) await client.detach();
  else await client.close();
}

/**
 * Makes sure that the server has the last state. While a connection lasts, its close tells; a client that reconnects may
 * have lost it without knowing, or have none.
 */
async function deliver(client: Client, state: string | Uint8Array, { reconnect, timeout }: OpenFlags): Promise<void> {
  if (!reconnect) return;
  const deadline = performance.now() + (timeout === 0 ? Infinity : timeout);
  for (;;) {
    const left = timeout === 0 ? 0 : Math.max(1, deadline - performance.now());
    try {
      return await client.open(state, { timeout: left });
    } catch (cause) {
      const isLost = cause instanceof TrackerError && isTransient(cause.code) && cause.code !== "TIMEOUT";
      if (isLost && client.status !== "closed" && performance.now() < deadline) continue;
      throw new CommandError("deliver the last state", client.error ?? cause);
    }
  }
}

/** Longest line while the server has not said what it accepts, in bytes. */
const MAX_UNTOLD_STATE = 2 ** 24;

/** Standard input, each line of which is a state. */
class Input {
  /** The last state. */
  latest: string | Uint8Array;
  readonly #client: Client;
  readonly #dialect: Dialect;

  constructor(client: Client, dialect: Dialect, state: string) {
    this.#client = client;
    this.#dialect = dialect;
    this.latest = state;
  }

  /** Updates with each line, to the end. */
  async follow(): Promise<void> {
    const before = this.latest;
    try {
      await this.#readAll();
    } catch (error) {
      if (error instanceof TrackerError || error instanceof CommandError) throw error;
      throw new CommandError("read standard input", `${messageOf(error)}; with --stay, none is needed`);
    }
    if (this.latest !== before || Deno.stdin.isTerminal()) return;
    complain("tracker: standard input has ended without a line, and with it the client; --stay keeps it in the map");
  }

  /** The same for a client that needs no input: a terminal is not read, or the shell would stop it in the background. */
  async followQuietly(stop: AbortSignal): Promise<void> {
    try {
      if (!Deno.stdin.isTerminal()) await this.#readAll();
    } catch (error) {
      if (error instanceof TrackerError || error instanceof CommandError) throw error;
      // There is no input, as under nohup.
    }
    await aborted(stop);
  }

  async #readAll(): Promise<void> {
    for await (const line of readLines(Deno.stdin.readable, () => this.#longest)) {
      this.latest = line;
      await this.#client.update(line);
    }
  }

  get #longest(): number {
    if (this.#dialect === "compact") return MAX_COMPACT_LENGTH;
    return this.#client.greeting?.maxState ?? MAX_UNTOLD_STATE;
  }
}
