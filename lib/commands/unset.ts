/**
 * `tracker unset`
 *
 * @module
 */

import type { Client } from "../client/client.ts";
import { CLIENT_FLAGS, clientOptions } from "../cli/flags/client_flags.ts";
import type { Command } from "../cli/command.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { write } from "../cli/terminal/output.ts";
import { ask } from "../cli/terminal/patience.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { nameArgument } from "../cli/flags/values.ts";

const FLAGS = { ...CLIENT_FLAGS, takeover: toggle("take it out even if its client is connected") } as const;

const POSITIONALS = { placeholder: "NAME", most: 1 } as const;

/** Takes a name out of the map. */
export const unsetCommand: Command = {
  name: "unset",
  summary: "Take a name out of the map, and say whether it was there.",
  details: ["Exit code 0 means that it is not in the map any more, whether it was or not."],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker unset backup", meaning: "ends what 'tracker set backup …' has begun" },
    { line: "tracker unset pi-7 --takeover", meaning: "puts a client out that is connected" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags: { takeover, ...flags }, positionals: [written] } = parseFlags(args, FLAGS, POSITIONALS);
  if (written === undefined) throw new UsageError("unset needs a NAME");
  const name = nameArgument(written);
  const options = await clientOptions(flags);
  // Whoever is taken over is out of the map before there is an answer that could tell.
  const wasLive = takeover && await ask(options, (client) => isThere(client, name));
  const wasThere = await ask({ ...options, name, takeover }, async (client) => {
    const was = await isThere(client, name);
    await client.close();
    return was;
  });
  await write(wasLive || wasThere ? `${name} is out of the map\n` : `${name} was not in the map\n`);
  return 0;
}

async function isThere(client: Client, name: string): Promise<boolean> {
  const { records } = await client.list({ prefix: name });
  return records.some(({ id }) => id === name);
}
