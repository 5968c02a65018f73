/**
 * Runs the command line as a user does: as a process of its own.
 *
 * `TRACKER_COMMAND` says what to run instead of the sources, such as a compiled binary: a path, or a JSON array of a
 * program and its first arguments.
 */

import { assertEquals } from "@std/assert";
import { withTimeout } from "../../lib/base/async.ts";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";

const MAIN = import.meta.resolve("../../main.ts");

const OVERRIDE = Deno.env.get("TRACKER_COMMAND");

/** Whether the sources are run, with permissions that a test can choose. */
export const runsSources = OVERRIDE === undefined;

/** How long anything may take before a test gives up, in milliseconds; `TRACKER_PATIENCE` multiplies it. */
const PATIENCE = 20_000 * Number(Deno.env.get("TRACKER_PATIENCE") ?? 1);

/** The reason to skip a test that chooses permissions, if there is one. */
export const permissionsAreFixed = runsSources ? undefined : "permissions are built into TRACKER_COMMAND";

/** The reason to skip a test that uses `sh`, if there is one. */
export const noShell = Deno.build.os === "windows" ? "there is no sh" : undefined;

/** The reason to skip a test that sends SIGHUP, if there is one. */
export const noSighup = Deno.build.os === "windows" ? "Windows has no SIGHUP" : undefined;

/** Whether a program can be started; not all of them know `--version`. */
export async function isInstalled(program: string, version = "--version"): Promise<boolean> {
  try {
    const { code } = await new Deno.Command(program, { args: [version], stdout: "null", stderr: "null" }).output();
    return code === 0 || version !== "--version";
  } catch {
    return false;
  }
}

/** The only directory that a standalone program finds: it must need nothing else, and leave nothing behind. */
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

/** Builds the program and arguments that run a command line. */
export function commandLine(args: readonly string[], permissions: readonly string[] = ["-N"]): [string, ...string[]] {
  if (OVERRIDE === undefined) return [Deno.execPath(), "run", "--no-prompt", ...permissions, MAIN, ...args];
  const words: string[] = OVERRIDE.startsWith("[") ? JSON.parse(OVERRIDE) : [OVERRIDE];
  return [words[0] ?? OVERRIDE, ...words.slice(1), ...args];
}

/**
 * Chooses where a process is started: the sources in the directory of the tests; another program in an empty one, with
 * only the environment that a test asks for, so that no Deno, no cache and no configuration is within its reach.
 */
export function surroundings(env: Record<string, string> = {}): Deno.CommandOptions {
  if (emptyDirectory === undefined) return { env };
  const bare: Record<string, string> = { HOME: emptyDirectory, TMPDIR: emptyDirectory };
  // Windows finds its network by this variable.
  const root = Deno.env.get("SystemRoot");
  if (Deno.build.os === "windows" && root !== undefined) bare["SystemRoot"] = root;
  return { clearEnv: true, cwd: emptyDirectory, env: { ...bare, ...env } };
}

/** Declares a test, or skips it for a reason, which is then part of its name. */
export function testUnless(reason: string | undefined, name: string, fn: () => Promise<void>): void {
  Deno.test({ name: reason === undefined ? name : `${name} (skipped: ${reason})`, ignore: reason !== undefined, fn });
}

/** Gathers the output of a process. */
class Output {
  #text = "";
  #taken = 0;
  #hasEnded = false;
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
    this.#hasEnded = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  /** Waits for the end of the process, and returns all of its output. */
  async all(): Promise<string> {
    await this.#done;
    return this.#text;
  }

  /** Waits for the next line. */
  async line(): Promise<string> {
    const end = await this.until((text) => {
      const end = text.indexOf("\n", this.#taken);
      return end === -1 ? undefined : end;
    });
    const line = this.#text.slice(this.#taken, end);
    this.#taken = end + 1;
    return line;
  }

  /** Waits until all that has come is found to contain something. */
  async until<T>(look: (text: string) => T | undefined): Promise<T> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const found = look(this.#text);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`not found before the end; so far: ${this.#text}`);
      await withTimeout(this.#news.promise, {
        timeout: Math.max(1, deadline - performance.now()),
        onTimeout: () => new Error(`not found; so far: ${this.#text}`),
      });
    }
  }
}

/** A running process. Disposing kills it. */
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

  /** Its process identifier. */
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

  /** Waits for its end, and returns the exit code and all of its output. */
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

/** Runs a command line to its end, with empty input. */
export async function run(
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  await using running = start(args, options);
  await running.endInput();
  return await running.end();
}

/** Runs a command line that must fail, and returns the one line that explains why. */
export async function fail(args: readonly string[], code: number, options: StartOptions = {}): Promise<string> {
  const result = await run(args, options);
  assertEquals([result.code, result.stdout], [code, ""], result.stderr);
  const [line = "", ...rest] = result.stderr.split("\n");
  assertEquals(rest, [""], "not one line");
  return line;
}

/** Finds out on which version of Deno the program runs. */
export async function runtimeVersion(): Promise<string> {
  return runsSources ? Deno.version.deno : JSON.parse((await run(["version", "--json"])).stdout).deno;
}

/** A line of a server's log. */
export type LogLine = Record<string, unknown>;

/** A running server, with a log that can be waited for. */
export class RunningServer extends Running {
  hostname = "127.0.0.1";
  port = 0;

  /** Waits for the line that says that it accepts clients. */
  async listening(): Promise<this> {
    const line = await this.stdout.line();
    const [, hostname, port] = /^tracker \d+\.\d+\.\d+ listening on (.+):(\d+)(?: with TLS)?$/.exec(line) ?? [];
    if (hostname === undefined || port === undefined) throw new Error(`unexpected first line: ${line}`);
    this.hostname = hostname;
    this.port = Number(port);
    return this;
  }

  /** The flags with which a client finds it. */
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

/** Asks until the answer is as wanted. Each attempt is a round trip, so no pause is needed in between. */
export async function eventually<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const until = performance.now() + PATIENCE;
  let answer = await ask();
  while (answer !== wanted && performance.now() < until) answer = await ask();
  assertEquals(answer, wanted);
}

/** Connects as soon as there is a server with room for one more client. */
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

/** A server that is not Tracker, for one connection. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** The flags with which a client finds it. */
  readonly flags: [string, string];
}

/** Starts a server that handles its one connection as it is told to. */
export function startPeer(handle: (connection: Deno.TcpConn) => Promise<void>): Peer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const handling = (async () => {
    using connection = await listener.accept();
    await handle(connection);
  })();
  const { port } = listener.addr;
  return {
    port,
    flags: ["--server", `127.0.0.1:${port}`],
    async [Symbol.asyncDispose]() {
      listener.close();
      await handling.catch(() => {});
    },
  };
}

/** Starts a server that sends a reply after the first bytes have come, and waits for the end, or abruptly does not. */
export function startLiar(reply: Uint8Array, { abruptly = false } = {}): Peer {
  return startPeer(async (connection) => {
    await connection.read(new Uint8Array(1));
    if (abruptly) return;
    await connection.write(reply);
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(4_096)).catch(() => null) !== null);
  });
}

/** Finds a port on which nothing listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
