/**
 * The server's log: a line for each join, leave and error, and for each file that was read again.
 *
 * Clients may come and go faster than anybody reads of it. Lines are therefore gathered while the last ones are being
 * written, in a bounded space; what does not fit is dropped, counted, and the count is logged. Whoever is refused can
 * come again at once, thousands of times a second: of errors only so many are logged in a second, and the others
 * counted likewise.
 *
 * @module
 */

import type { ServerEvent } from "../../server/events.ts";
import { escapeControls, escapeWord, safeJson } from "../text/escape.ts";
import { formatAddress } from "../../tcp/address.ts";
import type { ReloadEvent } from "../service/reload.ts";

/** How a log is written. */
export type LogFormat = "text" | "json" | "off";

/** Every {@linkcode LogFormat}. */
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json", "off"];

/** How lines are written; `"journal"` is text for systemd's journal, which knows the time and wants the severity. */
export type LineFormat = LogFormat | "journal";

/** What is logged. */
export type LogEvent = ServerEvent | ReloadEvent;

/** Characters that may wait to be written: some ten thousand lines. */
const MAX_WAITING = 2 ** 20;

/** Lines of errors in a second; the others are counted. */
const MAX_ERRORS = 100;

/** The second in question, in milliseconds. */
const ERROR_WINDOW = 1_000;

/** How long the last lines may take to be written when the server ends, in milliseconds. */
const LAST_LINES = 1_000;

/** Where a log goes: anything with a `write` that may take less than given, such as `Deno.stderr`. */
export interface LogTarget {
  /** Takes bytes, perhaps fewer than given, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** A member of a log line, by name. */
type Line = Readonly<Record<string, string | number>>;

/** Writes what happens at a server. */
export class EventLog {
  readonly #format: LineFormat;
  readonly #target: LogTarget;
  readonly #maxWaiting: number;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  /** Errors logged in this second, and those left out; the timer runs from the first one to the second's end. */
  #errors = 0;
  #errorsDropped = 0;
  #window: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | null = null;

  /**
   * Starts a log.
   *
   * @param format How to write it
   * @param target Where to write it
   * @param maxWaiting How many characters may wait to be written
   */
  constructor(format: LineFormat, target: LogTarget = Deno.stderr, maxWaiting: number = MAX_WAITING) {
    this.#format = format;
    this.#target = target;
    this.#maxWaiting = maxWaiting;
  }

  /** Logs an event. Never waits, never throws. */
  report(event: LogEvent): void {
    if (this.#format === "off" || isGoodbye(event) || this.#isTooMuch(event)) return;
    this.#log(lineOf(event));
  }

  #log(line: Line): void {
    if (this.#waiting >= this.#maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#add(line);
    this.#writing ??= this.#write();
  }

  /** Waits for the last lines to be written, but not for a reader that has stopped reading. */
  async close(): Promise<void> {
    this.#endWindow();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_LINES);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  /** Whether an event is an error above the number of this second. */
  #isTooMuch({ kind }: LogEvent): boolean {
    if (kind !== "error" && kind !== "tls-error" && kind !== "accept-error") return false;
    this.#window ??= setTimeout(() => this.#endWindow(), ERROR_WINDOW);
    if (++this.#errors <= MAX_ERRORS) return false;
    this.#errorsDropped++;
    return true;
  }

  #endWindow(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    const lines = this.#errorsDropped;
    this.#errors = this.#errorsDropped = 0;
    if (lines === 0) return;
    this.#log({ event: "dropped", lines, message: `more than ${MAX_ERRORS} errors in a second` });
  }

  #add(line: Line): void {
    const text = this.#format === "journal" ? severityOf(line) + textOf(line) : this.#stamp(line);
    this.#lines.push(text + "\n");
    this.#waiting += text.length;
  }

  #stamp(line: Line): string {
    const stamped: Line = { time: new Date().toISOString(), ...line };
    return this.#format === "json" ? safeJson(stamped) : textOf(stamped);
  }

  async #write(): Promise<void> {
    try {
      while (this.#lines.length !== 0) {
        // A turn later all that one read of the network brought about has been logged, and goes out in one write.
        await Promise.resolve();
        await this.#writeAll(this.#take());
      }
    } catch {
      // Nobody reads the log. The server is not to stop for that.
    } finally {
      this.#writing = null;
    }
  }

  #take(): Uint8Array {
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped !== 0) this.#add({ event: "dropped", lines: dropped, message: "the log is read too slowly" });
    const text = this.#lines.join("");
    this.#lines = [];
    this.#waiting = 0;
    return this.#encoder.encode(text);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#target.write(bytes.subarray(at));
  }
}

/** The values in order. What each one is shows, except for the one number. */
function textOf(line: Line): string {
  return Object.values(line).map((value) => typeof value === "number" ? `${value} lines:` : value).join(" ");
}

/** As sd-daemon(3) has it: 6 is information, 4 a warning. */
function severityOf({ event }: Line): string {
  return event === "join" || event === "leave" || event === "reload" ? "<6>" : "<4>";
}

function lineOf(event: LogEvent): Line {
  if (event.kind === "reload") return { event: event.kind, what: event.what };
  if (event.kind === "reload-error") {
    return { event: event.kind, what: event.what, message: escapeControls(event.error.message) };
  }
  if (event.kind === "accept-error") return { event: event.kind, message: escapeControls(event.error.message) };
  const peer = formatAddress(event.peer);
  switch (event.kind) {
    case "join":
      return { event: event.kind, id: escapeWord(event.id), peer, dialect: event.dialect };
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

/** An orderly stop is told to every connection as an error, but nothing has gone wrong: that it left is enough. */
function isGoodbye(event: LogEvent): boolean {
  return event.kind === "error" && event.error.code === "SHUTTING_DOWN";
}
