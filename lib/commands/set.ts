/**
 * `tracker set`
 *
 * @module
 */

import { delay } from "../base/async.ts";
import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS } from "../cli/flags/client_flags.ts";
import { type FlagValues, parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { durationWithin, nameArgument } from "../cli/flags/values.ts";
import { readAll } from "../cli/terminal/lines.ts";
import { complain, remark, writeJson } from "../cli/terminal/output.ts";
import { clockTime } from "../cli/text/times.ts";
import type { Client } from "../client/client.ts";
import { HIGHEST_MAX_STATE } from "../protocol.ts";
import { TrackerError } from "../errors.ts";
import type { PutReply } from "../wire/entry_requests.ts";

/** How long to wait before a Put whose answer was lost is sent again, in milliseconds. */
const AGAIN = 200;

const NEWLINE = 10;

const FLAGS = {
  ...CLIENT_FLAGS,
  for: {
    placeholder: "DURATION",
    default: "5m",
    description: "how long the state stays unless it is set again, from 1s to 24h",
    parse: durationWithin("1s", "24h"),
  },
  takeover: toggle("take the name even from a connected client"),
  json: toggle("print a JSON object with the members id, revision and until"),
} as const;

const POSITIONALS = { placeholder: "NAME STATE", most: 2 } as const;

/** Sets a state that stays without a connection. */
export const setCommand: Command = {
  name: "set",
  summary: "Set a state under a name, and leave it in the map for a while.",
  details: [
    "For scripts: nothing has to stay connected. The entry is detached until its time is over, or the name is set again, " +
    "unset, or opened by a client. Exit code 0 means that the server has it, whole; after any other it is as it was, " +
    "unless the answer was lost. A state that was set earlier never replaces one that was set later: of several at once the " +
    "last counts, and the others say so and end with exit code 0.",
    "With - as the STATE, it is read from standard input, to its end; a newline at the end is left out.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    {
      line: "tracker set backup 'done, 12 GB' --for 90m",
      meaning: "for a job that runs every hour: if the state is gone, the job did not run",
    },
    { line: "uptime | tracker set load -", meaning: "sets what a program prints" },
    { line: "tracker set door -- -1", meaning: "sets a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: [name, state] } = parseFlags(args, FLAGS, POSITIONALS);
  if (name === undefined || state === undefined) throw new UsageError("set needs a NAME and a STATE");
  const checked = nameArgument(name);
  const bytes = state === "-" ? withoutNewline(await readAll(Deno.stdin.readable, HIGHEST_MAX_STATE)) : state;
  try {
    const { until, ...reply } = await insist(flags, checked, bytes);
    if (flags.json) await writeJson({ ...reply, until });
    else remark(`tracker: ${name} is in the map, and stays until ${clockTime(until)}`);
  } catch (error) {
    if (!(error instanceof TrackerError) || error.code !== "SUPERSEDED") throw error;
    // As if this state had been there for a moment: whoever set the later one wins, whatever arrives first.
    complain(`tracker: ${name} has been set again meanwhile, and keeps the later state`);
  }
  return 0;
}

/** Leaves out the newline with which programs end what they print. */
function withoutNewline(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes;
}

/** Puts the state, again if the answer was lost: the time at which it was decided makes sure that it counts once. */
async function insist(
  flags: FlagValues<typeof FLAGS>,
  name: string,
  state: string | Uint8Array,
): Promise<PutReply> {
  const deadline = performance.now() + (flags.timeout === 0 ? Infinity : flags.timeout);
  let issued: number | undefined;
  const put = (client: Client) => {
    issued ??= Date.now();
    return client.put(name, state, { for: flags.for / 1_000, takeover: flags.takeover, issued });
  };
  for (;;) {
    try {
      return await ask(flags, put);
    } catch (error) {
      const isLost = error instanceof TrackerError &&
        (error.code === "CONNECTION_CLOSED" || error.code === "CONNECTION_FAILED");
      if (!isLost || issued === undefined || performance.now() + AGAIN > deadline) throw error;
      await delay(AGAIN);
    }
  }
}
