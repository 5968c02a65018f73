/**
 * `tracker health`
 *
 * @module
 */

import { withTimeout } from "../base/async.ts";
import { toBytes, toText } from "../base/bytes.ts";
import type { Command } from "../cli/command.ts";
import { SERVER_FLAGS, type Target, targetFrom, timeoutFlag } from "../cli/flags/client_flags.ts";
import { parseFlags, toggle } from "../cli/flags/flags.ts";
import { complain, write, writeJson } from "../cli/terminal/output.ts";
import { patiently } from "../cli/terminal/patience.ts";
import { escapeControls } from "../cli/text/escape.ts";
import { TrackerError } from "../errors.ts";
import { dialer } from "../tcp/connect.ts";
import { type Duplex, writeAll } from "../transport/duplex.ts";
import { formatAddress } from "../transport/listener.ts";

/** More of an answer is not read. */
const MAX_ANSWER = 8_192;

const FLAGS = {
  ...SERVER_FLAGS,
  timeout: timeoutFlag,
  json: toggle("print a JSON object with the members ready and status"),
} as const;

/** Asks a server whether it takes connections. */
export const healthCommand: Command = {
  name: "health",
  summary: "Ask a server over HTTP whether it takes connections.",
  details: [
    "For checks of health, as of containers: it needs no token, changes nothing, and leaves nothing in the log. Exit code 0 " +
    "means that the server is ready, 1 that it is not, and 5 that nothing answers. Where the server speaks HTTP on a port of " +
    "its own, name that port.",
  ],
  flags: FLAGS,
  examples: [
    { line: "tracker health", meaning: "asks the server on this machine" },
    { line: "tracker health --server 127.0.0.1:8080 --timeout 2s", meaning: "asks one that has --http-port 8080" },
  ],
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const target = await targetFrom(flags);
  const status = await patiently(target, ask(target, flags.timeout));
  const isReady = status === 200;
  if (flags.json) await writeJson({ ready: isReady, status });
  else if (isReady) await write("ready\n");
  else complain(`tracker: ${escapeControls(formatAddress(target))} is not ready: it answers with status ${status}`);
  return isReady ? 0 : 1;
}

/** Asks for the status; the whole exchange has the time of one step. */
async function ask(target: Target, timeout: number): Promise<number> {
  const connection = await dialer(target)(new AbortController().signal, timeout);
  try {
    return await withTimeout(exchange(connection, target), {
      timeout,
      onTimeout: () => new TrackerError("TIMEOUT", `Cannot ask for health: no answer within ${timeout} ms`),
    });
  } finally {
    connection.close();
  }
}

async function exchange(connection: Duplex, target: Target): Promise<number> {
  const request = `GET /health/ready HTTP/1.1\r\nHost: ${formatAddress(target)}\r\nConnection: close\r\n\r\n`;
  await writeAll(connection, toBytes(request));
  const buffer = new Uint8Array(MAX_ANSWER);
  let length = 0;
  while (length < buffer.length) {
    const count = await connection.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(toText(buffer.subarray(0, length))) ?? [];
    if (status !== undefined) return Number(status);
  }
  const message = "Cannot ask for health: what answers speaks no HTTP; perhaps the server has --no-http or --http-port";
  throw new TrackerError("BAD_REPLY", message);
}
