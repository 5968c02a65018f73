/**
 * `tracker kick`
 *
 * @module
 */

import { ask } from "../cli/ask.ts";
import type { Command } from "../cli/command.ts";
import { CLIENT_FLAGS } from "../cli/flags/client_flags.ts";
import { type Flag, optionalText, parseFlags } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { durationWithin } from "../cli/flags/values.ts";
import { write } from "../cli/terminal/output.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { MAX_REASON } from "../protocol.ts";

const reasonFlag: Flag<string | undefined> = {
  ...optionalText("TEXT", `what to tell the client, of at most ${MAX_REASON} characters`),
  parse: (text) => {
    if (text.length <= MAX_REASON) return text === "" ? undefined : text;
    throw new UsageError(`must be at most ${MAX_REASON} characters`);
  },
};

const FLAGS = {
  ...CLIENT_FLAGS,
  for: {
    placeholder: "DURATION",
    default: "0",
    description: "for how long its name is refused, or the address of a client without a name, up to 24h",
    parse: durationWithin("1s", "24h", true),
  },
  reason: reasonFlag,
} as const;

const POSITIONALS = { placeholder: "ID", most: 1, live: true } as const;

/** Ends a client. */
export const kickCommand: Command = {
  name: "kick",
  summary: "End a client, so that it leaves the map and does not come back by itself.",
  details: [
    "The client is told KICKED, after which a tracker client that reconnects stays away. Where the server has tokens, " +
    "it takes one for administrators. Exit code 1 means that there was no such client.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker kick pi-7", meaning: "ends the client, which a person may start again at once" },
    { line: "tracker kick pi-7 --for 10m --reason 'out of order'", meaning: "keeps its name out for ten minutes" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals: [id] } = parseFlags(args, FLAGS, POSITIONALS);
  if (id === undefined) throw new UsageError("kick needs an ID");
  const { for: milliseconds, reason } = flags;
  const options = { for: milliseconds / 1_000, ...reason !== undefined && { reason } };
  const was = await ask(flags, (client) => client.kick(id, options));
  await write(`${escapeControls(id)} ${was ? "was ended" : "was not in the map"}\n`);
  return was ? 0 : 1;
}
