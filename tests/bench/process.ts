/**
 * The processes of a benchmark: started, watched through `/proc`, and ended without fail.
 *
 * @module
 */

import { writeError } from "./output.ts";

const running = new Set<Process>();

/** Resources used by a process so far. */
export interface Usage {
  /** Processor time of all its threads, in seconds. */
  cpu: number;
  /** Time of the reading, in seconds. */
  at: number;
}

/** One process. */
export class Process implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<void>;

  /**
   * Starts a program.
   *
   * @param program The program
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

  /** Keeps its complaints away from the progress line, and shows them if it fails by itself. */
  async #watch(): Promise<void> {
    const complaints = await new Response(this.#child.stderr).text();
    const { code, signal } = await this.#child.status;
    running.delete(this);
    if (code !== 0 && signal === null) writeError(`\n${complaints}`);
  }

  /** Its process identifier. */
  get id(): number {
    return this.#child.pid;
  }

  /** Its standard input, if it is piped. */
  get input(): WritableStream<Uint8Array> {
    return this.#child.stdin;
  }

  /** Its standard output, if it is piped. */
  get output(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#child.stdout;
  }

  /** Whether it is running. */
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

  /** Reads its usage. The scheduler's account is exact, while `stat` counts in steps of 10 ms. */
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

/** Reads a file in `/proc` through `cat`: doing so directly would take every permission. */
async function readProc(pattern: string): Promise<string> {
  // A thread that ends meanwhile makes `cat` complain, which does not matter.
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `cat ${pattern}`], stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}

/** Computes the share of one processor used between two readings: 1 is all of it. */
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
    // Not all of them know --version; each of them ends.
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Finds a free port. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Time that a server may take to listen, in milliseconds. */
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
