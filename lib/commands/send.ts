/**
 * `tracker send`
 *
 * @module
 */

import type { Expected } from "../wire/replies.ts";
import { decodeEvents } from "../wire/events.ts";
import { decodeList } from "../wire/list.ts";
import type { Command } from "../cli/command.ts";
import { dialectFlag, SERVER_FLAGS, type Target, targetFrom, timeoutFlag } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { UsageError } from "../cli/flags/usage.ts";
import { Conversation, type Reply } from "../cli/inspect/conversation.ts";
import { layOut, MessageExplainer } from "../cli/inspect/explain.ts";
import { parseStep, type Step } from "../cli/inspect/steps.ts";
import { bold, remark, write, writeMap } from "../cli/terminal/output.ts";
import { patiently } from "../cli/terminal/patience.ts";
import { escapeBytes, escapeControls, safeJson } from "../cli/text/escape.ts";
import { eventForm, listForm } from "../cli/text/forms.ts";
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
    "hello=JSON, list=JSON, watch=JSON, ping or stats, where JSON is {} unless given. Each step waits for the replies it " +
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

/** Takes one step after the other and prints the replies. */
class Script {
  readonly #conversation: Conversation;
  readonly #server: Target;
  readonly #encoder: MessageEncoder;
  readonly #explainer = new MessageExplainer();
  readonly #hex: boolean;

  constructor(conversation: Conversation, server: Target, encoder: MessageEncoder, hex: boolean) {
    this.#conversation = conversation;
    this.#server = server;
    this.#encoder = encoder;
    this.#hex = hex;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#show(`${bold(escapeControls(step.written))}\n`);
      if (step.kind === "wait") await this.#wait(step.milliseconds);
      else await this.#exchange(step.kind === "raw" ? step.bytes : this.#encoder.encode(step.type, step.state));
    }
    // If the last Update is refused, that shows only here: nothing asks for a reply after it.
    const replies = await this.#conversation.finish(this.#unasked);
    if (replies.length !== 0) await this.#show(`${bold("(after the last step)")}\n`);
    for (const reply of replies) await this.#print(reply, "nothing");
  }

  /** The replies that may come unasked. */
  get #unasked(): "frame" | "nothing" {
    return this.#explainer.isWatching ? "frame" : "nothing";
  }

  async #wait(milliseconds: number): Promise<void> {
    // The end has come already, and nothing can follow it.
    if (this.#explainer.isClosed) return;
    remark(`tracker: waiting ${milliseconds} ms`);
    const until = performance.now() + milliseconds;
    for (;;) {
      const reply = await this.#conversation.listen(until, this.#unasked);
      if (reply === null) return;
      await this.#print(reply, "nothing");
    }
  }

  async #exchange(bytes: Uint8Array): Promise<void> {
    const { fields, asks } = this.#explainer.explain(bytes);
    await this.#show(layOut("sent", fields));
    await this.#conversation.send(bytes);
    for (const expected of asks) await this.#receive(expected);
  }

  /** Waits for a reply. On a connection that watches, frames may precede it, and the reply to a Ping is in a frame. */
  async #receive(expected: Expected): Promise<void> {
    const mayBeFrame = this.#explainer.isWatching && (expected === "done" || expected === "nothing");
    for (;;) {
      const receiving = this.#conversation.receive(mayBeFrame ? "frame" : expected);
      const reply = await patiently(this.#server, receiving);
      await this.#print(reply, expected);
      if (!reply.isFrame) return;
      if (expected === "frame" && decodeEvents(reply.payload).some(({ kind }) => kind === "pong")) return;
    }
  }

  async #print(reply: Reply, expected: Expected): Promise<void> {
    await this.#show(layOut("received", reply.fields));
    if (reply.error !== null) throw reply.error;
    if (this.#hex) return;
    if (expected === "map") await writeMap(reply.payload);
    else await write(reply.isFrame ? linesOf(reply.payload) : `${lineOf(reply.payload, expected)}\n`);
  }

  async #show(text: string): Promise<void> {
    if (this.#hex) await write(text);
  }
}

function linesOf(frame: Uint8Array): string {
  return decodeEvents(frame).map((event) => `${safeJson(eventForm(event))}\n`).join("");
}

function lineOf(payload: Uint8Array, expected: Expected): string {
  if (expected === "list") return safeJson(listForm(decodeList(payload)));
  return expected === "hello" || expected === "stats" ? escapeBytes(payload) : "done";
}
