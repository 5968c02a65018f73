/**
 * Servers that suffer faults: processes of their own, inspected from outside.
 *
 * @module
 */

import { delay } from "../../../lib/base/async.ts";
import type { Stats } from "../../../mod.ts";
import { commandLine, RunningServer } from "../../support/program.ts";
import { ByteClient } from "../../support/byte_client.ts";
import { textOf } from "../../support/bytes.ts";

/** A server, and the system's account of its process. */
export class FaultyServer extends RunningServer {
  /** Resident memory, in bytes. */
  async residentBytes(): Promise<number> {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await shell(`cat /proc/${this.id}/status`))?.[1];
    return Number(kilobytes ?? NaN) * 1_024;
  }

  /** Number of open descriptors. */
  async descriptors(): Promise<number> {
    return Number(await shell(`ls /proc/${this.id}/fd | wc -l`));
  }

  /** Processor time used by its threads, in seconds. */
  async cpuSeconds(): Promise<number> {
    const lines = (await shell(`cat /proc/${this.id}/task/*/schedstat`)).trim().split("\n");
    return lines.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1e9;
  }

  /** Its own statistics, over a connection made for the purpose. */
  async stats(): Promise<Stats> {
    using asker = await Asker.dial(this);
    return await asker.stats();
  }

  /** Asks until the statistics are as wanted, for at most `patience` milliseconds. */
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

/** A connection for questions that exists before the trouble begins. */
export class Asker extends ByteClient<Deno.TcpConn> implements Disposable {
  static async dial({ hostname, port }: { hostname: string; port: number }): Promise<Asker> {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    const asker = new Asker(connection);
    await asker.hello();
    return asker;
  }

  async stats(): Promise<Stats> {
    await this.send(42, 8);
    return JSON.parse(textOf(await this.readPayload()));
  }

  async map(): Promise<string> {
    await this.send(42, 3);
    return textOf(await this.readPayload());
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Options for {@linkcode startFaulty}. */
export interface FaultyOptions {
  /** Flags of `serve`. */
  args?: readonly string[];
  /** Shell script that starts the server, which is its `"$@"`. */
  shell?: string;
  port?: number;
  /** A program and its arguments to put in front of the command. */
  prefix?: readonly string[];
}

/** Starts a server and waits until it listens. It logs JSON unless `args` are given. */
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

/** Runs a line of shell and returns its output. It can read `/proc`, where Deno wants every permission. */
export async function shell(line: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", line], stderr: "null" }).output();
  return textOf(stdout);
}
