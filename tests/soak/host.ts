/**
 * The server's process: started, asked for its memory, made to stand still, ended.
 *
 * @module
 */

import { TextLineStream } from "../../lib/cli/std.ts";

/** What a process holds. */
export interface Memory {
  /** Resident memory, in bytes. */
  rss: number;
  /** Of the engine's heap, what is in use, in bytes. */
  heapUsed: number;
  /** Memory outside the heap that objects in it stand for, such as buffers, in bytes. */
  external: number;
}

/** Limits that are low enough to be met in a run; all others are those of every server. */
const LIMITS = ["--message-timeout", "3s", "--write-timeout", "4s", "--max-unsent", "4096"];

/** How much of the server's log is kept, in lines: what it said last, should it end. */
const KEPT_LINES = 50;

const encoder = new TextEncoder();

/** A server of its own. */
export class Host implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** Resolves when the process has ended, to how. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #log: string[];
  readonly #logged: Promise<void>;
  #asking: Promise<unknown> = Promise.resolve();
  /** Also when this program is ended at once. */
  readonly #kill = (): void => {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
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
      // A Ctrl-C is for the soak, which has everybody leave first, and not for the server at the same time.
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

  /** What it said last. */
  get log(): string {
    return this.#log.join("\n");
  }

  /**
   * How much memory it has.
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

  /** How many descriptors it has open. */
  async descriptors(): Promise<number> {
    return await countDescriptors(this.#child.pid);
  }

  /**
   * Lets it stand still for a while: it hears and does nothing.
   *
   * @param milliseconds How long
   */
  async standStill(milliseconds: number): Promise<void> {
    const { pid } = this.#child;
    // A process of its own wakes it, so that it does not stand still for ever when this one is killed meanwhile.
    const script = `kill -STOP ${pid}; sleep ${milliseconds / 1_000}; kill -CONT ${pid}`;
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    // Detached, which only `spawn` minds: what ends this process by its group is not to end the other.
    await new Deno.Command("sh", { args: ["-c", script], ...quiet, detached: true }).spawn().status;
  }

  /**
   * Asks it to end, as Ctrl-C does.
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
 * How many descriptors a process has open. Deno lets only a program with every permission read in `/proc`, and this one
 * need not have them.
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
