/**
 * Servers that faults happen to: processes of their own, looked at from outside.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { delay } from "../../../lib/base/async.ts";
import type { Stats } from "../../../mod.ts";
import { commandLine, RunningServer } from "../../support/program.ts";
import { bytesOf, longLength, readExactly, textOf, writeFully } from "../../support/bytes.ts";

/** A greeting that asks for nothing. */
const HELLO = bytesOf(42, 4, longLength(2), "{}");

/** A server, and what the system knows about its process. */
export class FaultyServer extends RunningServer {
  /** Memory that it has in use, in bytes. */
  async residentBytes(): Promise<number> {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await shell(`cat /proc/${this.id}/status`))?.[1];
    return Number(kilobytes ?? NaN) * 1_024;
  }

  /** How many descriptors it has open. */
  async descriptors(): Promise<number> {
    return Number(await shell(`ls /proc/${this.id}/fd | wc -l`));
  }

  /** Processor time that its threads have used, in seconds. */
  async cpuSeconds(): Promise<number> {
    const lines = (await shell(`cat /proc/${this.id}/task/*/schedstat`)).trim().split("\n");
    return lines.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1e9;
  }

  /** What it says itself, on a connection of its own. */
  async stats(): Promise<Stats> {
    using asker = await Asker.dial(this);
    return await asker.stats();
  }

  /** Asks until the server says what is wanted, for at most so many milliseconds. */
  async until(isWanted: (stats: Stats) => boolean, patience = 20_000): Promise<Stats> {
    using asker = await Asker.dial(this);
    const end = performance.now() + patience;
    for (;;) {
      const stats = await asker.stats();
      if (isWanted(stats)) return stats;
      if (performance.now() > end) throw new Error(`not within ${patience} ms: ${JSON.stringify(stats)}`);
      await delay(10);
    }
  }
}

/** A connection over which the server is asked, and that is there before the trouble begins. */
export class Asker implements Disposable {
  readonly connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  static async dial({ hostname, port }: { hostname: string; port: number }): Promise<Asker> {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    await writeFully(connection, HELLO);
    assertEquals(await readExactly(connection, 1), bytesOf(1));
    const asker = new Asker(connection);
    await asker.#reply();
    return asker;
  }

  async stats(): Promise<Stats> {
    await writeFully(this.connection, bytesOf(42, 8));
    return JSON.parse(textOf(await this.#reply()));
  }

  async map(): Promise<string> {
    await writeFully(this.connection, bytesOf(42, 3));
    return textOf(await this.#reply());
  }

  async #reply(): Promise<Uint8Array> {
    const length = new DataView((await readExactly(this.connection, 8)).buffer).getBigUint64(0);
    return await readExactly(this.connection, Number(length));
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

/** How to start a {@linkcode FaultyServer}. */
export interface FaultyOptions {
  /** Flags of `serve`. */
  args?: readonly string[];
  /** What a shell does before it becomes the server, which is its `"$@"`. */
  shell?: string;
  port?: number;
  /** A program and its arguments that are put in front. */
  prefix?: readonly string[];
}

/** Starts a server and waits until it listens. Its log is JSON unless the arguments say otherwise. */
export async function startFaulty(options: FaultyOptions = {}): Promise<FaultyServer> {
  const { args = ["--log", "json"], shell = 'exec "$@"', port = 0, prefix = [] } = options;
  const command = [...prefix, ...commandLine(["serve", "--port", `${port}`, ...args])];
  const server = new FaultyServer(["sh", "-c", shell, "sh", ...command]);
  try {
    return await server.listening();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** What a line of shell prints. Deno lets only a program with every permission read in `/proc`. */
export async function shell(line: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
