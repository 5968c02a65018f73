/**
 * The server's log: a line for each join, leave and error, and for each file that was read again.
 *
 * Clients may come and go faster than the log is read. Lines are therefore gathered while earlier ones are being
 * written, in a bounded space; those that do not fit are dropped and counted, and the count is logged. A client can come
 * and go, or be refused, thousands of times a second, so the lines a second are limited as well: those about errors, and
 * those about the clients of each address.
 *
 * @module
 */

import { toBytes } from "../../base/bytes.ts";
import { siteOf } from "../../auth/cidr.ts";
import type { ServerEvent } from "../../server/events.ts";
import { formatAddress } from "../../transport/listener.ts";
import type { ReloadEvent } from "../service/reload.ts";
import { LineWriter } from "../terminal/line_writer.ts";
import type { Writer } from "../terminal/output.ts";
import { atMost } from "../terminal/patience.ts";
import { LogBudget } from "./log_budget.ts";
import { safeJson } from "../../base/text.ts";
import { escapeControls, escapeWord } from "../text/escape.ts";

/** The format of a log. */
export type LogFormat = "text" | "json" | "off";

/** Every {@linkcode LogFormat}. */
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json", "off"];

/** The format of a line; `"journal"` is text for systemd's journal, which knows the time and wants the severity. */
export type LineFormat = LogFormat | "journal";

/** An event that is logged. */
export type LogEvent = ServerEvent | ReloadEvent;

/** Most characters that wait to be written: some ten thousand lines. */
const MAX_WAITING = 2 ** 20;

const NEWLINE = 10;

/** How long the last lines may take to be written when the server ends, in milliseconds. */
const LAST_LINES = 1_000;

/** The members of a log line, by name. */
type Line = Readonly<Record<string, string | number>>;

/** Logs the events of a server. */
export class EventLog {
  readonly #format: LineFormat;
  readonly #target: Writer;
  readonly #maxWaiting: number;
  /** Without a bound of its own: a log drops what does not fit, and waits for nothing. */
  readonly #lines = new LineWriter((text) => this.#write(text), Infinity);
  #dropped = 0;
  /** Whether what was taken last ends within a line. */
  #isCut = false;
  readonly #budget = new LogBudget((lines, message) => this.#log({ event: "dropped", lines, message }));

  /**
   * Starts a log.
   *
   * @param format How to write it
   * @param target Where to write it
   * @param maxWaiting Most characters that wait to be written
   */
  constructor(format: LineFormat, target: Writer = Deno.stderr, maxWaiting: number = MAX_WAITING) {
    this.#format = format;
    this.#target = target;
    this.#maxWaiting = maxWaiting;
  }

  /** Logs an event. Never waits, never throws. */
  report(event: LogEvent): void {
    if (this.#format === "off" || isGoodbye(event)) return;
    const source = sourceOf(event);
    if (source !== null && !this.#budget.spend(source)) return;
    this.#log(lineOf(event));
  }

  /** Waits for the last lines to be written, but not for a reader that has stopped reading. */
  async close(): Promise<void> {
    this.#budget.endWindow();
    await atMost(LAST_LINES, this.#lines.flush());
  }

  #log(line: Line): void {
    if (this.#lines.waiting < this.#maxWaiting) this.#lines.add(this.#textOf(line));
    else this.#dropped++;
  }

  #textOf(line: Line): string {
    if (this.#format === "journal") return severityOf(line) + wordsOf(line);
    const stamped: Line = { time: new Date().toISOString(), ...line };
    return this.#format === "json" ? safeJson(stamped) : wordsOf(stamped);
  }

  /** Writes lines, and after them how many were dropped. Never rejects: a server does not stop because of its log. */
  async #write(text: string): Promise<void> {
    const lines = this.#dropped;
    this.#dropped = 0;
    const message = "the log was not taken, or not fast enough";
    if (lines !== 0) text += `${this.#textOf({ event: "dropped", lines, message })}\n`;
    const lost = await this.#put(toBytes(text));
    // The count itself comes last, so it is lost with any of them.
    if (lost !== 0) this.#dropped += lost + (lines === 0 ? 0 : lines - 1);
  }

  /** Writes lines, and returns how many of them were not taken whole, as on a full disk. */
  async #put(bytes: Uint8Array): Promise<number> {
    let at = 0;
    try {
      while (this.#isCut) this.#isCut = await this.#target.write(Uint8Array.of(NEWLINE)) === 0;
      while (at < bytes.length) at += await this.#target.write(bytes.subarray(at));
      return 0;
    } catch {
      if (at !== 0) this.#isCut = bytes[at - 1] !== NEWLINE;
      return bytes.subarray(at).reduce((sum, byte) => byte === NEWLINE ? sum + 1 : sum, 0);
    }
  }
}

/** The values in order. Only the one number, and what is there seldom, need names to be understood. */
function wordsOf(line: Line): string {
  const words = Object.entries(line).map(([name, value]) => {
    if (name === "via") return `via=${value}`;
    return typeof value === "number" ? `${value} lines:` : value;
  });
  return words.join(" ");
}

/**
 * The severity as in sd-daemon(3): 6 is information, 5 is worth a look, 4 a warning. A client whose connection was ended
 * in order may have meant it.
 */
function severityOf({ event, cause }: Line): string {
  if (event === "suspect") return cause === "disconnect" ? "<5>" : "<4>";
  return EXPECTED_EVENTS.has(event) ? "<6>" : "<4>";
}

/** Events that are what a server is there for. */
const EXPECTED_EVENTS: ReadonlySet<unknown> = new Set(["join", "set", "resume", "leave", "reload"]);

/** By what the lines about an event are limited; `null` if they are not. */
function sourceOf(event: LogEvent): string | null {
  if (event.kind === "reload" || event.kind === "reload-error") return null;
  if (event.kind === "error" || event.kind === "tls-error" || event.kind === "accept-error") return "errors";
  return `joins and leaves from ${siteOf(event.peer.hostname)}`;
}

/** Whoever did not come over Tracker's own protocol came by another way. */
function lineOf(event: LogEvent): Line {
  const line = membersOf(event);
  const via = "peer" in event ? event.peer.via : undefined;
  return via === undefined ? line : { ...line, via };
}

function membersOf(event: LogEvent): Line {
  if (event.kind === "reload") return { event: event.kind, what: event.what };
  if (event.kind === "reload-error") {
    return { event: event.kind, what: event.what, message: escapeControls(event.error.message) };
  }
  if (event.kind === "accept-error") return { event: event.kind, message: escapeControls(event.error.message) };
  const peer = formatAddress(event.peer);
  switch (event.kind) {
    case "join":
      return { event: event.kind, id: escapeWord(event.id), peer, dialect: event.dialect };
    case "set":
      return { event: event.kind, id: escapeWord(event.id), peer, until: new Date(event.until).toISOString() };
    case "resume":
      return { event: event.kind, id: escapeWord(event.id), peer };
    case "suspect":
    case "leave":
      return { event: event.kind, id: escapeWord(event.id), peer, cause: event.cause };
    case "error":
    case "tls-error":
      return { event: event.kind, peer, code: event.error.code, message: escapeControls(event.error.message) };
  }
}

/** An orderly shutdown ends every connection with an error, but nothing has gone wrong: its leave is enough. */
function isGoodbye(event: LogEvent): boolean {
  return event.kind === "error" && event.error.code === "SHUTTING_DOWN";
}
