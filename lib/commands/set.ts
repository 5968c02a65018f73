/**
 * `tracker set`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { durationWithin, nameArgument } from "../cli/flags/values.ts";
import { remark } from "../cli/terminal/output.ts";
import type { ConnectOptions } from "../tcp/connect.ts";

const FLAGS = {
  ...CLIENT_FLAGS,
  for: {
    placeholder: "DURATION",
    default: "5m",
    description: "how long the state stays unless it is set again, from 1s to 24h",
    parse: durationWithin("1s", "24h"),
  },
  takeover: toggle("take the name even from a connected client"),
} as const;

const POSITIONALS = { placeholder: "NAME STATE", most: 2 } as const;

/** Sets a state and disconnects. */
export const setCommand: Command = {
  name: "set",
  summary: "Set a state under a name, and leave it in the map for a while.",
  details: [
    "For scripts: nothing has to stay connected. The client is shown as suspect until the time is over, or the name is " +
    "set again, unset, or opened by another client. Exit code 0 means that the server has accepted the state.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    {
      line: "tracker set backup 'done, 12 GB' --for 90m",
      meaning: "for a job that runs every hour: if the state is gone, the job did not run",
    },
    { line: "tracker set door -- -1", meaning: "sets a state that begins with a dash" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: [name, state] } = parseFlags(args, FLAGS, POSITIONALS);
  if (name === undefined || state === undefined) throw new UsageError("set needs a NAME and a STATE");
  const { takeover, for: stay } = flags;
  const own: ConnectOptions = { name: nameArgument(name), state, grace: stay / 1_000, takeover };
  // The name is free for the next command only after the server has seen the end of this connection.
  await ask(flags, (client) => client.detach(), (shared) => ({ ...shared, ...own }));
  remark(`tracker: ${name} is in the map, and stays for ${stay / 1_000} s`);
  return 0;
}
