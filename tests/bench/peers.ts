/**
 * The peers: Tracker and its alternatives.
 *
 * @module
 */

import { accepting, freePort, isInstalled, Process } from "./process.ts";

/** Names of the peers, in the order of the table's columns. */
export const PEERS = ["tracker", "redis", "memcached", "echo", "discard"] as const;

/** The name of a peer. */
export type Peer = typeof PEERS[number];

/** A running server. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly process: Process;
}

/** Connections that each server accepts: more than the cases make. */
const MOST_CONNECTIONS = 20_000;

/** The checkout, as a path that ends with a slash. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** Command that starts each peer. */
const COMMANDS: Record<Peer, (port: number, tracker: readonly string[]) => [string, string[]]> = {
  tracker: (port, [program = "", ...args]) => [program, [
    ...[...args, "serve", "--port", `${port}`],
    ...["--log", "off", "--max-clients", `${MOST_CONNECTIONS}`],
  ]],
  // Deno raises its own limit on open files to what the system allows; Redis has to be given it.
  redis: (port) => ["sh", [
    "-c",
    `ulimit -n $(ulimit -Hn); exec redis-server --port ${port} --bind 127.0.0.1 --save "" --appendonly no ` +
    `--maxclients ${MOST_CONNECTIONS} --protected-mode no --loglevel warning`,
  ]],
  // With its default of 4 threads.
  memcached: (port) => ["memcached", ["-p", `${port}`, "-l", "127.0.0.1", "-U", "0", "-u", "root", "-c", "4096"]],
  echo: (port) => [Deno.execPath(), ["run", "-N", `${ROOT}tests/bench/echo.ts`, `${port}`]],
  discard: (port) => [Deno.execPath(), ["run", "-N", `${ROOT}tests/bench/discard.ts`, `${port}`]],
};

/**
 * Starts a server and waits until it accepts connections.
 *
 * @param peer The server's name
 * @param tracker Command line that runs Tracker
 * @returns The server
 */
export async function start(peer: Peer, tracker: readonly string[] = []): Promise<RunningServer> {
  const { server } = await startTimed(peer, tracker);
  return server;
}

/**
 * Starts a server and measures how long it takes to accept its first connection.
 *
 * @param peer The server's name
 * @param tracker Command line that runs Tracker
 * @returns The server, and the time in milliseconds
 */
export async function startTimed(
  peer: Peer,
  tracker: readonly string[] = [],
): Promise<{ server: RunningServer; milliseconds: number }> {
  const port = freePort();
  const startedAt = performance.now();
  const process = new Process(...COMMANDS[peer](port, tracker));
  try {
    await accepting(process, port);
    const milliseconds = performance.now() - startedAt;
    return { server: { port, process, [Symbol.asyncDispose]: () => stop(process) }, milliseconds };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw new Error(`Cannot start ${peer}: it accepts no connection`, { cause: error });
  }
}

/** Stops a server, politely first: one that writes a profile does so when told to end. */
async function stop(process: Process): Promise<void> {
  process.kill("SIGTERM");
  const timer = setTimeout(() => process.kill(), 3_000);
  await process.ended;
  clearTimeout(timer);
}

/** Finds the peers that are not installed. */
export function missingPeers(): Peer[] {
  const missing: Peer[] = [];
  if (!isInstalled("redis-server")) missing.push("redis");
  if (!isInstalled("memcached")) missing.push("memcached");
  return missing;
}
