/**
 * Runs the command line as a user does: as a process of its own.
 *
 * `TRACKER_COMMAND` says what to run instead of the sources, such as a compiled binary: a path, or a JSON array of a
 * program and its first arguments.
 */

import { assertEquals } from "@std/assert";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";

const MAIN = import.meta.resolve("../../main.ts");

const OVERRIDE = Deno.env.get("TRACKER_COMMAND");

/** Whether the sources are run, so that permissions can be chosen. */
export const runsSources = OVERRIDE === undefined;

/** How long anything may take before a test gives up, in milliseconds; `TRACKER_PATIENCE` multiplies it. */
const PATIENCE = 20_000 * Number(Deno.env.get("TRACKER_PATIENCE") ?? 1);

/** Why a test that chooses permissions is skipped, when it is. */
export const permissionsAreFixed = runsSources ? undefined : "permissions are built into TRACKER_COMMAND";

/** A program that is to need nothing finds nothing: it has this directory to itself, and nothing else around it. */
const emptyDirectory = runsSources ? undefined : Deno.makeTempDirSync({ prefix: "tracker-blackbox-" });

if (emptyDirectory !== undefined) {
  addEventListener("unload", () => {
    const left = Array.from(Deno.readDirSync(emptyDirectory), ({ name }) => name);
    Deno.removeSync(emptyDirectory, { recursive: true });
    if (left.length !== 0) throw new Error(`the program left ${left.join(", ")} behind`);
  });
}

export interface StartOptions {
  /** Deno's permission flags. Default `-N` alone. */
  permissions?: string[];
  env?: Record<string, string>;
}

/** The program and arguments that run a command line. */
export function commandLine(args: readonly string[], permissions: readonly string[] = ["-N"]): [string, ...string[]] {
  if (OVERRIDE === undefined) return [Deno.execPath(), "run", "--no-prompt", ...permissions, MAIN, ...args];
  const words: string[] = OVERRIDE.startsWith("[") ? JSON.parse(OVERRIDE) : [OVERRIDE];
  return [words[0] ?? OVERRIDE, ...words.slice(1), ...args];
}

/**
 * Where a process is started: the sources wherever the tests are; another program in an empty directory, with no
 * environment but what a test wants, so that no deno, no cache and no configuration is within its reach.
 */
export function surroundings(env: Record<string, string> = {}): Deno.CommandOptions {
  if (emptyDirectory === undefined) return { env };
  const bare: Record<string, string> = { HOME: emptyDirectory, TMPDIR: emptyDirectory };
  // Windows finds its network by this one.
  const root = Deno.env.get("SystemRoot");
  if (Deno.build.os === "windows" && root !== undefined) bare["SystemRoot"] = root;
  return { clearEnv: true, cwd: emptyDirectory, env: { ...bare, ...env } };
}

/** A test that not every circumstance allows. Where it is skipped, its name says why. */
export function testUnless(reason: string | undefined, name: string, fn: () => Promise<void>): void {
  Deno.test({ name: reason === undefined ? name : `${name} (skipped: ${reason})`, ignore: reason !== undefined, fn });
}

/** Gathers what a process prints. */
class Output {
  #text = "";
  #taken = 0;
  #ended = false;
  #news = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#done = this.#gather();
  }

  /** Stops reading, as `head` does. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  async #gather(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      this.#text += decoder.decode(value, { stream: true });
      this.#tell();
    }
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  /** Everything, once the process has ended. */
  async all(): Promise<string> {
    await this.#done;
    return this.#text;
  }

  /** The next line, waiting for it. */
  async line(): Promise<string> {
    const end = await this.until((text) => {
      const end = text.indexOf("\n", this.#taken);
      return end === -1 ? undefined : end;
    });
    const line = this.#text.slice(this.#taken, end);
    this.#taken = end + 1;
    return line;
  }

  /** Looks at all that has come until that finds something. */
  async until<T>(look: (text: string) => T | undefined): Promise<T> {
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => deadline.reject(new Error(`not found; so far: ${this.#text}`)), PATIENCE);
    try {
      for (;;) {
        const found = look(this.#text);
        if (found !== undefined) return found;
        if (this.#ended) throw new Error(`not found before the end; so far: ${this.#text}`);
        await Promise.race([this.#news.promise, deadline.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A process that runs. Disposing kills it. */
export class Running implements AsyncDisposable {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;

  constructor([program, ...args]: [string, ...string[]], options: Deno.CommandOptions = surroundings()) {
    const streams = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#child = new Deno.Command(program, { args, ...options, ...streams }).spawn();
    this.stdout = new Output(this.#child.stdout);
    this.stderr = new Output(this.#child.stderr);
    this.status = this.#child.status;
    this.#stdin = this.#child.stdin.getWriter();
  }

  /** Its number. */
  get id(): number {
    return this.#child.pid;
  }

  /** Writes to its standard input. */
  async type(text: string | Uint8Array): Promise<void> {
    await this.#stdin.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  /** Ends its standard input. */
  async endInput(): Promise<void> {
    await this.#stdin.close();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end: the exit code and all it printed. */
  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    const [{ code }, stdout, stderr] = await Promise.all([this.status, this.stdout.all(), this.stderr.all()]);
    await this.#stdin.close().catch(() => {});
    return { code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
  }
}

/** Starts a command line. */
export function start(args: readonly string[], { permissions, env }: StartOptions = {}): Running {
  return new Running(commandLine(args, permissions), surroundings(env));
}

/** Runs a command line to its end, with nothing to read. */
export async function run(
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using running = start(args, options);
  await running.endInput();
  return await running.end();
}

/** Runs a command line that must fail, and returns the one line it says why. */
export async function fail(args: readonly string[], code: number, options: StartOptions = {}): Promise<string> {
  const result = await run(args, options);
  assertEquals([result.code, result.stdout], [code, ""], result.stderr);
  const [line = "", ...rest] = result.stderr.split("\n");
  assertEquals(rest, [""], "not one line");
  return line;
}

/** A log line of a server. */
export type LogLine = Record<string, unknown>;

/** A server that runs, with a log that can be waited for. */
export class RunningServer extends Running {
  hostname = "127.0.0.1";
  port = 0;

  /** Waits for the line that says it accepts. */
  async listening(): Promise<this> {
    const line = await this.stdout.line();
    const [, hostname, port] = /^tracker \d+\.\d+\.\d+ listening on (.+):(\d+)(?: with TLS)?$/.exec(line) ?? [];
    if (hostname === undefined || port === undefined) throw new Error(`unexpected first line: ${line}`);
    this.hostname = hostname;
    this.port = Number(port);
    return this;
  }

  /** The flags by which a client finds it. */
  get flags(): [string, string] {
    return ["--server", `${this.hostname}:${this.port}`];
  }

  /** Waits for a log line with these members. */
  async logged(wanted: LogLine): Promise<LogLine> {
    for (;;) {
      const line: LogLine = JSON.parse(await this.stderr.line());
      if (Object.entries(wanted).every(([name, value]) => line[name] === value)) return line;
    }
  }
}

/** Starts a server on a free port; its log is JSON unless the arguments say otherwise. */
export function startServer(args: readonly string[] = ["--log", "json"]): Promise<RunningServer> {
  return new RunningServer(commandLine(["serve", "--port", "0", ...args])).listening();
}

/** Asks until the answer is right: each try is a round trip, so there is nothing to wait for in between. */
export async function eventually<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const until = performance.now() + PATIENCE;
  let answer = await ask();
  while (answer !== wanted && performance.now() < until) answer = await ask();
  assertEquals(answer, wanted);
}

/** Connects as soon as there is a server with a place for one more. */
export async function connectEventually(options: ConnectOptions): Promise<Client> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}

/**
 * A server that says what it is told to, to the first connection, after the first bytes have come. Then it waits for
 * the end, or abruptly does not.
 */
export function startLiar(reply: Uint8Array, { abruptly = false } = {}): { port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lying = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(1));
    if (abruptly) return;
    await connection.write(reply);
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(4_096)).catch(() => null) !== null);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await lying.catch(() => {});
    },
  };
}

/** A port that nothing listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
