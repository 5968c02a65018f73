/**
 * `tracker set`
 *
 * @module
 */

import { connect, type ConnectOptions } from "../tcp/connect.ts";
import { CLIENT_FLAGS, clientOptions } from "../cli/flags/client_flags.ts";
import type { Command } from "../cli/command.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { remark } from "../cli/terminal/output.ts";
import { patiently } from "../cli/terminal/patience.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { durationWithin, nameArgument } from "../cli/flags/values.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  for: {
    placeholder: "DURATION",
    default: "5m",
    description: "how long the state stays if it is not set again, from 1s to 24h",
    parse: durationWithin("1s", "24h"),
  },
  takeover: toggle("take the name even from a client that is connected"),
} as const;

const POSITIONALS = { placeholder: "NAME STATE", most: 2 } as const;

/** Leaves a state behind. */
export const setCommand: Command = {
  name: "set",
  summary: "Set a state under a name, and leave it in the map for a while.",
  details: [
    "For scripts: nothing has to stay connected. The client shows as suspect until the time is over, or until the name " +
    "is set again, unset, or opened by somebody. Exit code 0 means that the server has taken the state.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    {
      line: "tracker set backup 'done, 12 GB' --for 90m",
      meaning: "for a job that runs every hour: a state that is gone shows that it did not",
    },
    { line: "tracker set door -- -1", meaning: "sets a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: [name, state] } = parseFlags(args, FLAGS, POSITIONALS);
  if (name === undefined || state === undefined) throw new UsageError("set needs a NAME and a STATE");
  const options: ConnectOptions = {
    ...await clientOptions(flags),
    name: nameArgument(name),
    state,
    grace: flags.for / 1_000,
    takeover: flags.takeover,
  };
  await patiently(options, leave(options));
  remark(`tracker: ${name} is in the map, and stays for ${flags.for / 1_000} s`);
  return 0;
}

async function leave(options: ConnectOptions): Promise<void> {
  const client = await connect(options);
  try {
    // Not before the server has seen the end is the name free for whoever sets it next.
    await client.detach();
  } finally {
    client.abort();
  }
}
