/**
 * `tracker unset`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { nameArgument } from "../cli/flags/values.ts";
import { write } from "../cli/terminal/output.ts";

const FLAGS = { ...CLIENT_FLAGS, takeover: toggle("remove it even if its client is connected") } as const;

const POSITIONALS = { placeholder: "NAME", most: 1, live: true } as const;

/** Removes a name from the map. */
export const unsetCommand: Command = {
  name: "unset",
  summary: "Remove a name from the map, and print whether it was there.",
  details: ["Exit code 0 means that it is no longer in the map, whether or not it was."],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker unset backup", meaning: "removes the state set by 'tracker set backup …'" },
    { line: "tracker unset pi-7 --takeover", meaning: "removes a client that is still connected" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: [written] } = parseFlags(args, FLAGS, POSITIONALS);
  if (written === undefined) throw new UsageError("unset needs a NAME");
  const name = nameArgument(written);
  const was = await ask(flags, (client) => client.drop(name, { takeover: flags.takeover }));
  await write(was ? `${name} is out of the map\n` : `${name} was not in the map\n`);
  return 0;
}
