/**
 * `tracker watch`
 *
 * @module
 */

import { withTimeout } from "../base/async.ts";
import type { Command, Process } from "../cli/command.ts";
import { describe } from "../cli/failure.ts";
import { CLIENT_FLAGS, clientOptions, prefixFlag, prefixFrom } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { EventLines, type WatchDisplay } from "../cli/terminal/event_lines.ts";
import { LineWriter } from "../cli/terminal/line_writer.ts";
import { LiveTable } from "../cli/terminal/live_table.ts";
import { hasReader, ReaderProbe } from "../cli/terminal/reader_probe.ts";
import { isCapable, remark } from "../cli/terminal/output.ts";
import { atMost, serverOf } from "../cli/terminal/patience.ts";
import { stopSignal } from "../cli/terminal/signals.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { Client } from "../client/client.ts";
import { DEFAULT_HEARTBEAT } from "../client/options.ts";
import { type ConnectOptions, dialer } from "../tcp/connect.ts";

/** Longest pause between two attempts to reconnect, in milliseconds: a person may be looking at the table. */
const LONGEST_WAIT = 5_000;

/** How long the last lines may take to be written after a request to stop, in milliseconds. */
const LAST_LINES = 1_000;

const FLAGS = {
  ...CLIENT_FLAGS,
  prefix: prefixFlag,
  json: toggle("print a JSON object per line"),
  "until-lost": toggle("end when the connection is lost, instead of reconnecting"),
} as const;

/** Shows every change of the map. */
export const watchCommand: Command = {
  name: "watch",
  summary: "Show every change of the map as it happens.",
  details: [
    "On a terminal it shows a table that follows the map. Piped into a program it prints a line for each event: the " +
    "time, the event, then its details. It waits for a server that is down, and when the connection is lost it " +
    "reconnects and continues where it was. Ctrl-C ends it with exit code 0.",
    "With --json each line is an object with the members time and event. An event is snapshot (the events up to synced " +
    "are the whole map and replace what you have), present, synced, join, update, set, suspect, resume or leave; or connected " +
    'or lost, which report on the connection. A state that is not UTF-8 is in base64, next to "encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker watch", meaning: "shows the clients of the server on this machine" },
    { line: "tracker watch --json --prefix pi- | dashboard", meaning: "feeds a program" },
    {
      line: `tracker watch --json | jq -r 'select(.event == "leave").id'`,
      meaning: "prints the identifier of each client that leaves",
    },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const isTable = !flags.json && isCapable();
  const options = {
    ...await clientOptions(flags),
    heartbeat: DEFAULT_HEARTBEAT,
    reconnect: flags["until-lost"] ? false : { cap: LONGEST_WAIT },
  };
  const format = isTable ? "table" : flags.json ? "json" : "text";
  await show(options, prefixFrom(flags), format, stopSignal(process, isTable));
  return 0;
}

/** The clients to watch. */
type WatchRequest = ReturnType<typeof prefixFrom>;

async function show(
  options: ConnectOptions,
  request: WatchRequest,
  format: Format,
  stop: AbortSignal,
): Promise<void> {
  const client = new Client({ ...options, dial: options.dial ?? dialer(options) });
  const failure = new AbortController();
  const signal = AbortSignal.any([stop, failure.signal]);
  const onFailure = (error: unknown) => failure.abort(error);
  const display = format === "table"
    ? createTable(options, request, onFailure)
    : createLines(options, format === "json", await hasReader() ? onFailure : null);
  try {
    const onConnection: WatchDisplay["connection"] = (error) => display.connection(error);
    for await (const event of client.watch({ ...request, signal, onConnection })) {
      const writing = display.event(event);
      if (writing !== null) await written(writing, stop, 0);
      // Events that have arrived already are not shown any more.
      if (stop.aborted) break;
    }
  } catch (error) {
    if (failure.signal.aborted) throw failure.signal.reason;
    if (!stop.aborted) throw error;
  } finally {
    client.abort();
    await client.finished;
    await written(display.close(), stop, LAST_LINES);
  }
}

function createTable(
  options: ConnectOptions,
  request: WatchRequest,
  onFailure: (error: unknown) => void,
): LiveTable {
  const server = serverOf(options);
  const prefix = request.prefix === undefined ? "" : `  ${escapeControls(request.prefix)}…`;
  const title = `tracker ${server}${prefix}`;
  return new LiveTable(title, server, onFailure);
}

/** How events are shown. */
type Format = "table" | "json" | "text";

function createLines(
  options: ConnectOptions,
  json: boolean,
  onGone: ((error: unknown) => void) | null,
): WatchDisplay {
  const writer = new LineWriter();
  const lines = new EventLines(writer, json);
  const probe = onGone === null ? null : new ReaderProbe(writer, onGone);
  const server = serverOf(options);
  remark(`tracker: watching ${server}; Ctrl-C ends`);
  return {
    connection(error) {
      if (error !== null) remark(`tracker: waiting for ${server}: ${describe(error)}`);
      lines.connection(error);
    },
    event(event) {
      probe?.reset();
      return lines.event(event);
    },
    close() {
      probe?.close();
      return lines.close();
    },
  };
}

/** Waits for output to be written; after a request to stop only for a while, because its reader may be gone. */
async function written(writing: Promise<void>, stop: AbortSignal, patience: number): Promise<void> {
  // Without a time limit, nothing calls `onTimeout`.
  const options = { timeout: 0, signal: stop, onTimeout: () => new Error("Cannot write output: it took too long") };
  try {
    await withTimeout(writing, options);
  } catch (error) {
    if (!stop.aborted) throw error;
    await atMost(patience, writing);
  }
}
