/**
 * The steps of `tracker send`, played on one connection.
 *
 * @module
 */

import type { MessageEncoder } from "../../codec.ts";
import { decodeEvents } from "../../wire/events.ts";
import { FETCH, LIST } from "../../protocol.ts";
import { decodeCount, decodeList } from "../../wire/list.ts";
import { parseList } from "../../wire/requests.ts";
import type { Expected } from "../../wire/replies.ts";
import type { Target } from "../flags/client_flags.ts";
import { bold, remark, write, writeBytes } from "../terminal/output.ts";
import { patiently } from "../terminal/patience.ts";
import { safeJson } from "../../base/text.ts";
import { escapeBytes, escapeControls } from "../text/escape.ts";
import { eventForm, listForm } from "../../wire/forms.ts";
import type { Conversation, Reply } from "./conversation.ts";
import { type AskedList, layOut, MessageExplainer } from "./explain.ts";
import type { Step } from "./steps.ts";

/** Takes one step after the other and prints the replies. */
export class Script {
  readonly #conversation: Conversation;
  readonly #server: Target;
  readonly #encoder: MessageEncoder;
  readonly #explainer = new MessageExplainer();
  readonly #hex: boolean;

  /**
   * @param conversation The connection
   * @param server The server, for what is said while waiting
   * @param encoder Encodes the messages
   * @param hex Whether to show every byte instead of the replies
   */
  constructor(conversation: Conversation, server: Target, encoder: MessageEncoder, hex: boolean) {
    this.#conversation = conversation;
    this.#server = server;
    this.#encoder = encoder;
    this.#hex = hex;
  }

  /**
   * Plays the steps.
   *
   * @param steps The steps, in order
   * @throws {TrackerError} The error of the first reply that is one, or TIMEOUT or CONNECTION_CLOSED
   */
  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#show(`${bold(escapeControls(step.written))}\n`);
      if (step.kind === "message" && step.type === LIST) this.#conversation.list = askedList(step.state);
      if (step.kind === "message" && step.type === FETCH) this.#conversation.list = {};
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
    if (expected === "map") await writeBytes(reply.payload);
    else if (reply.isFrame) await write(linesOf(reply.payload));
    else await write(`${lineOf(reply.payload, expected, this.#conversation.list)}\n`);
  }

  async #show(text: string): Promise<void> {
    if (this.#hex) await write(text);
  }
}

function linesOf(frame: Uint8Array): string {
  return decodeEvents(frame).map((event) => `${safeJson(eventForm(event))}\n`).join("");
}

/** What a List asks for, as far as that can be understood. */
function askedList(json: Uint8Array): AskedList {
  try {
    const { count, details } = parseList(json);
    return { isCount: count === true, hasDetails: details === true };
  } catch {
    return {};
  }
}

/** Replies whose payload is JSON. */
const JSON_REPLIES: ReadonlySet<Expected> = new Set(["hello", "stats", "json"]);

function lineOf(payload: Uint8Array, expected: Expected, list: AskedList): string {
  if (expected === "list" && list.isCount) return `${decodeCount(payload)}`;
  if (expected === "list") return safeJson(listForm(decodeList(payload, undefined, list)));
  return JSON_REPLIES.has(expected) ? escapeBytes(payload) : "done";
}
