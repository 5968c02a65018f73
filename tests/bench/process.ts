/**
 * The processes of a benchmark: started, watched through `/proc`, and ended without fail.
 *
 * @module
 */

import { writeError } from "./output.ts";

const running = new Set<Process>();

/** What a process has used so far. */
export interface Usage {
  /** Processor time of all its threads, in seconds. */
  cpu: number;
  /** The clock when this was read, in seconds. */
  at: number;
}

/** One process. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<void>;

  /**
   * Starts a program.
   *
   * @param program What to start
   * @param args Its arguments
   * @param options `piped`: whether its standard input and output are wanted
   */
  constructor(program: string, args: readonly string[], options: { piped?: boolean } = {}) {
    const stream = options.piped ? "piped" : "null";
    this.#child = new Deno.Command(program, { args: [...args], stdin: stream, stdout: stream, stderr: "piped" })
      .spawn();
    running.add(this);
    this.#ended = this.#watch();
  }

  /** What it says is kept from the progress line, and shown when it failed of itself. */
  async #watch(): Promise<void> {
    const complaints = await new Response(this.#child.stderr).text();
    const { code, signal } = await this.#child.status;
    running.delete(this);
    if (code !== 0 && signal === null) writeError(`\n${complaints}`);
  }

  /** Its number. */
  get id(): number {
    return this.#child.pid;
  }

  /** Its standard input, if it was asked for. */
  get input(): WritableStream<Uint8Array> {
    return this.#child.stdin;
  }

  /** Its standard output, if it was asked for. */
  get output(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** Whether it has not ended. */
  get isRunning(): boolean {
    return running.has(this);
  }

  /** Resolves when it has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Ends it at once. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
  }

  /** What it has used. The scheduler's own account is exact, where `stat` counts in steps of 10 ms. */
  async usage(): Promise<Usage> {
    const threads = (await readProc(`/proc/${this.id}/task/*/schedstat`)).trim().split("\n");
    const nanoseconds = threads.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0);
    return { cpu: nanoseconds / 1e9, at: performance.now() / 1e3 };
  }

  /** Its resident memory, in bytes. */
  async residentBytes(): Promise<number> {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readProc(`/proc/${this.id}/status`))?.[1];
    return Number(kilobytes ?? NaN) * 1024;
  }
}

/** Deno lets only a program with every permission read in `/proc`, and this one need not have them. */
async function readProc(pattern: string): Promise<string> {
  // A thread that ends meanwhile makes `cat` complain, and is none of our concern.
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `cat ${pattern}`], stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/** The share of one processor used between two readings: 1 is all of it. */
export function cpuShare(before: Usage, after: Usage): number {
  return (after.cpu - before.cpu) / (after.at - before.at);
}

/** Ends every process that was started and has not ended. */
export function killAll(): void {
  for (const process of running) process.kill();
}

/** Whether a program can be started. */
export function isInstalled(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A port nobody listens on right now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** How long a server may take to listen, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Waits until a server accepts a connection.
 *
 * @param process The server
 * @param port Where it will listen
 */
export async function accepting(process: Process, port: number): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      const hopeless = !process.isRunning || performance.now() - startedAt > PATIENCE;
      if (hopeless || !(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
