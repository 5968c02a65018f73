/**
 * The server's process: starts it, reads its memory, stalls it and ends it.
 *
 * @module
 */

import { TextLineStream } from "../../lib/cli/std.ts";

/** Memory of a process. */
export interface Memory {
  /** Resident memory, in bytes. */
  rss: number;
  /** Used heap, in bytes. */
  heapUsed: number;
  /** Memory outside the heap that belongs to objects on it, such as buffers, in bytes. */
  external: number;
}

/** Limits low enough to be reached in a run; all others are the defaults. */
const LIMITS = ["--message-timeout", "3s", "--write-timeout", "4s", "--max-unsent", "4096"];

/** Lines of the server's log to keep, to show its last words if it ends. */
const KEPT_LINES = 50;

const encoder = new TextEncoder();

/** A server in a process of its own. */
export class Host implements AsyncDisposable {
  /** Port it listens on. */
  readonly port: number;
  /** Resolves with the exit status of the process. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #log: string[];
  readonly #logged: Promise<void>;
  #asking: Promise<unknown> = Promise.resolve();
  /** Kills the server, also when this program is ended at once. */
  readonly #kill = (): void => {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // Already ended.
    }
  };

  private constructor(child: Deno.ChildProcess, lines: ReadableStreamDefaultReader<string>, port: number, log: Log) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
    this.ended = child.status;
    this.#input = child.stdin.getWriter();
    this.#log = log.lines;
    this.#logged = log.done;
    addEventListener("unload", this.#kill);
  }

  /** Starts a server on a free port. */
  static async start(): Promise<Host> {
    const server = new URL("server.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "-N", "--v8-flags=--expose-gc", server, "--port", "0", "--log", "json", ...LIMITS],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // Ctrl-C is for the soak alone, which makes every client leave first.
      detached: true,
    }).spawn();
    const log = keepLog(child.stderr);
    const lines = linesOf(child.stdout).getReader();
    const port = /:(\d+)$/.exec((await lines.read()).value ?? "")?.[1];
    if (port !== undefined) return new Host(child, lines, Number(port), log);
    child.kill("SIGKILL");
    await log.done;
    throw new Error(`Cannot start server: ${log.lines.join("\n")}`);
  }

  /** Last lines of its log. */
  get log(): string {
    return this.#log.join("\n");
  }

  /**
   * Reads its memory.
   *
   * @param options `collect`: whether to collect garbage first
   */
  memory(options: { collect?: boolean } = {}): Promise<Memory> {
    const answer = this.#asking.then(async () => {
      await this.#input.write(encoder.encode(options.collect ? "collect\n" : "tell\n"));
      const { value } = await this.#lines.read();
      if (value === undefined) throw new Error(`Cannot read memory: the server has ended\n${this.log}`);
      return JSON.parse(value) as Memory;
    });
    this.#asking = answer.catch(() => {});
    return answer;
  }

  /** Counts its open descriptors. */
  async descriptors(): Promise<number> {
    return await countDescriptors(this.#child.pid);
  }

  /**
   * Stalls it for a while.
   *
   * @param milliseconds How long
   */
  async standStill(milliseconds: number): Promise<void> {
    const { pid } = this.#child;
    // Another process wakes it, so that it does not stay stopped if this one is killed meanwhile.
    const script = `kill -STOP ${pid}; sleep ${milliseconds / 1_000}; kill -CONT ${pid}`;
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    // Detached, which only `spawn` honours: a signal to this process's group must not end the other one.
    await new Deno.Command("sh", { args: ["-c", script], ...quiet, detached: true }).spawn().status;
  }

  /**
   * Tells it to end, as Ctrl-C does.
   *
   * @returns Its exit code
   */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    return await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#end();
  }

  async #end(): Promise<number> {
    const { code } = await this.ended;
    removeEventListener("unload", this.#kill);
    await this.#logged;
    await this.#input.close().catch(() => {});
    await this.#lines.cancel();
    return code;
  }
}

/**
 * Counts the open descriptors of a process. Reading `/proc` directly would take every permission.
 *
 * @param pid The process
 */
export async function countDescriptors(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${pid}/fd`], stderr: "null" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

interface Log {
  lines: string[];
  done: Promise<void>;
}

function keepLog(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Log {
  const lines: string[] = [];
  const keep = async () => {
    for await (const line of linesOf(stream)) {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    }
  };
  return { lines, done: keep() };
}

function linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<string> {
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
}
