/**
 * `tracker watch`
 *
 * @module
 */

import { Client } from "../client/client.ts";
import { DEFAULT_HEARTBEAT } from "../client/options.ts";
import { type ConnectOptions, dialer } from "../tcp/connect.ts";
import { CLIENT_FLAGS, clientOptions, prefixFlag } from "../cli/flags/client_flags.ts";
import type { Command, Process } from "../cli/command.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { EventLines, type WatchDisplay } from "../cli/text/event_lines.ts";
import { describe } from "../cli/failure.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { LineWriter } from "../cli/text/line_writer.ts";
import { LiveTable } from "../cli/terminal/live_table.ts";
import { remark } from "../cli/terminal/output.ts";
import { serverOf } from "../cli/terminal/patience.ts";
import { stopSignal } from "../cli/terminal/signals.ts";

/** Whoever looks at a table does not want to wait longer than this for it to come back, in milliseconds. */
const LONGEST_WAIT = 5_000;

/** How long the last lines may take to be written when it is to stop, in milliseconds. */
const LAST_LINES = 1_000;

const FLAGS = {
  ...CLIENT_FLAGS,
  prefix: prefixFlag,
  json: toggle("print a JSON object a line"),
  "until-lost": toggle("end when the connection is lost, instead of coming back"),
} as const;

/** Shows every change of the map. */
export const watchCommand: Command = {
  name: "watch",
  summary: "Show every change of the map as it happens.",
  details: [
    "On a terminal it is a table that follows the map. Piped into a program it prints a line for each event: the time, " +
    "the event, then what else there is to know. It waits for a server that is not there, and when the connection is " +
    "lost it comes back and goes on where it was, until Ctrl-C ends it with exit code 0.",
    "With --json each line is an object with the members time and event. An event is snapshot (all that follow until " +
    "synced are the whole map: forget what you know), present, synced, join, update, suspect, resume or leave; or " +
    'connected or lost, which tell of the connection. A state that is not UTF-8 is in base64, next to "encoding":"base64".',
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker watch", meaning: "shows the clients of the server on this machine" },
    { line: "tracker watch --json --prefix pi- | dashboard", meaning: "feeds a program" },
    { line: `tracker watch --json | jq -r 'select(.event == "leave").id'`, meaning: "prints who leaves" },
  ],
  run,
};

async function run(args: readonly string[], process: Process): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const options = {
    ...await clientOptions(flags),
    heartbeat: DEFAULT_HEARTBEAT,
    reconnect: flags["until-lost"] ? false : { cap: LONGEST_WAIT },
  };
  const prefix = flags.prefix === undefined ? {} : { prefix: flags.prefix };
  await show(options, prefix, flags.json, stopSignal(process));
  return 0;
}

async function show(
  options: ConnectOptions,
  prefix: { prefix?: string },
  json: boolean,
  stop: AbortSignal,
): Promise<void> {
  const client = new Client({ ...options, dial: dialer(options) });
  const failure = new AbortController();
  const signal = AbortSignal.any([stop, failure.signal]);
  const display = !json && Deno.stdout.isTerminal()
    ? createTable(options, prefix, client, (error) => failure.abort(error))
    : createLines(options, json);
  try {
    const onConnection: WatchDisplay["connection"] = (error) => display.connection(error);
    for await (const event of client.watch({ ...prefix, signal, onConnection })) {
      const writing = display.event(event);
      if (writing !== null) await unless(stop, writing, 0);
      // What has arrived already is not told any more.
      if (stop.aborted) break;
    }
  } catch (error) {
    if (failure.signal.aborted) throw failure.signal.reason;
    if (!stop.aborted) throw error;
  } finally {
    client.abort();
    await client.finished;
    await unless(stop, display.close(), LAST_LINES);
  }
}

function createTable(
  options: ConnectOptions,
  { prefix }: { prefix?: string },
  client: Client,
  onFailure: (error: unknown) => void,
): LiveTable {
  const server = serverOf(options);
  const title = `tracker ${server}${prefix === undefined ? "" : `  ${escapeControls(prefix)}…`}`;
  const list = async () => (await client.list(prefix === undefined ? {} : { prefix })).records;
  return new LiveTable(title, server, list, onFailure);
}

function createLines(options: ConnectOptions, json: boolean): WatchDisplay {
  const lines = new EventLines(new LineWriter(), json);
  const server = serverOf(options);
  remark(`tracker: watching ${server}; Ctrl-C ends`);
  return {
    connection(error) {
      if (error !== null) remark(`tracker: waiting for ${server}: ${describe(error)}`);
      lines.connection(error);
    },
    event: (event) => lines.event(event),
    close: () => lines.close(),
  };
}

/** Waits for output to be written; when it is time to stop, only so long: its reader may have stopped reading. */
async function unless(stop: AbortSignal, writing: Promise<void>, patience: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  writing.then(resolve, reject);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(resolve, patience);
  };
  if (stop.aborted) onAbort();
  else stop.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onAbort);
  }
}
