/**
 * `tracker send`
 *
 * @module
 */

import type { Command } from "../cli/command.ts";
import { dialectFlag, SERVER_FLAGS, type Target, targetFrom, timeoutFlag } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { Conversation } from "../cli/inspect/conversation.ts";
import { Script } from "../cli/inspect/script.ts";
import { parseStep } from "../cli/inspect/steps.ts";
import { patiently } from "../cli/terminal/patience.ts";
import { MessageEncoder } from "../codec.ts";
import { dial } from "../tcp/dial.ts";
import { dialTls } from "../tcp/dial_tls.ts";
import type { Duplex } from "../transport/duplex.ts";

const FLAGS = {
  ...SERVER_FLAGS,
  dialect: dialectFlag,
  timeout: timeoutFlag,
  hex: toggle("show every byte sent and received, and its meaning"),
} as const;

const POSITIONALS = { placeholder: "STEP...", most: Infinity } as const;

/** Takes any steps on one connection, and shows the replies. */
export const sendCommand: Command = {
  name: "send",
  summary: "Send messages, valid or not, on one connection and print the replies.",
  details: [
    "A STEP is open=STATE, update=STATE, get, close, raw=HEX (any bytes) or wait=MILLISECONDS; or, for the extensions, " +
    "hello=JSON, list=JSON, watch=JSON, fetch=JSON, drop=JSON, kick=JSON, put='JSON STATE', ping or stats, where JSON is {} " +
    "unless given. Each step waits for the replies it " +
    "asks for. The events of a watch are printed by the steps after it, such as wait. An error reply ends with exit code 1.",
    "Other users of this machine can read command lines: do not put a token that matters into one.",
  ],
  positionals: POSITIONALS,
  flags: FLAGS,
  examples: [
    { line: "tracker send open=abc update=xyz get close", meaning: "prints done, the map, done" },
    {
      line: "tracker send --hex --dialect compact open=abc get",
      meaning: "shows a client's bytes in the compact dialect",
    },
    {
      line: "tracker send --hex raw=2a0003616263 raw=2a09",
      meaning: "shows how the server reads bytes of your own",
    },
    { line: "tracker send raw=2a00 wait=600 raw=03616263", meaning: "sends a message in two pieces" },
    { line: "tracker send --hex hello list watch wait=1000", meaning: "shows the bytes of the extensions" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags, positionals } = parseFlags(args, FLAGS, POSITIONALS);
  if (positionals.length === 0) throw new UsageError("send needs a STEP, such as open=abc or get");
  const steps = positionals.map(parseStep);
  const { timeout, dialect, hex } = flags;
  const server = await targetFrom(flags);
  const conversation = new Conversation(await patiently(server, dialTarget(server, timeout)), timeout);
  try {
    await new Script(conversation, server, new MessageEncoder(dialect), hex).play(steps);
  } finally {
    conversation.close();
  }
  return 0;
}

function dialTarget({ hostname, port, tls }: Target, timeout: number): Promise<Duplex> {
  if (tls === false) return dial(hostname, port, undefined, timeout);
  return dialTls(hostname, port, tls, undefined, timeout);
}
