/** What systemd hears of a server, over a real socket of the kind that it listens on. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../../../mod.ts";
import {
  commandLine,
  permissionsAreFixed,
  Running,
  RunningServer,
  surroundings,
  testUnless,
} from "../../support/program.ts";

/** A compiled program may use the paths of a real systemd, and no others. */
const reason = Deno.build.os === "windows" ? "Windows has no Unix sockets" : permissionsAreFixed;

const notOnLinux = Deno.build.os === "linux" ? reason : "only Linux has abstract sockets";

/** Listens in place of systemd, and gives the server a directory of its own. */
class Systemd implements AsyncDisposable {
  readonly directory: string;
  readonly #listener: Running;
  readonly #target: string;

  private constructor(directory: string, target: string) {
    this.directory = directory;
    this.#target = target;
    const flags = ["run", "--no-prompt", "--unstable-net", "-N", "-R", "-W"];
    const script = import.meta.resolve("./notify_listener.ts");
    this.#listener = new Running([Deno.execPath(), ...flags, script, target]);
  }

  static async start(socket?: string): Promise<Systemd> {
    const directory = await Deno.makeTempDir();
    await Deno.mkdir(`${directory}/run`);
    const systemd = new Systemd(directory, socket ?? `${directory}/notify`);
    assertEquals(await systemd.heard(), []);
    return systemd;
  }

  /** The permissions that a server needs for notifications. */
  get permissions(): string[] {
    const [own, target] = [`${this.directory}/run`, this.#target];
    const writable = target.startsWith("@") ? "-W" : `-W=${own},${target}`;
    return ["--unstable-net", "-N", "-E", `-R=${own}`, writable];
  }

  /** Starts a server as systemd would. */
  async serve(permissions: string[] = this.permissions, env: Record<string, string> = {}): Promise<RunningServer> {
    const variables = { NOTIFY_SOCKET: this.#target, RUNTIME_DIRECTORY: `${this.directory}/run`, ...env };
    const server = new RunningServer(
      commandLine(["serve", "--port=0", "--log=json"], permissions),
      surroundings(variables),
    );
    return await server.listening();
  }

  /** Waits for the next message, and returns its lines. */
  async heard(): Promise<string[]> {
    return JSON.parse(await this.#listener.stdout.line());
  }

  /** Lists the names of files in the server's directory. */
  async leftovers(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(`${this.directory}/run`));
    return entries.map(({ name }) => name);
  }

  /** Vanishes without notice. */
  async vanish(): Promise<void> {
    this.#listener.kill("SIGKILL");
    await this.#listener.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }
}

const STOPPING = ["STOPPING=1", "STATUS=stopping: clients are being told"];

async function stop(server: RunningServer): Promise<string> {
  server.kill("SIGTERM");
  const { code, stderr } = await server.end();
  assertEquals(code, 0);
  return stderr;
}

testUnless(reason, "serve tells systemd where it listens and that it stops, and removes its socket", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve();
  assertEquals(await systemd.heard(), ["READY=1", `STATUS=listening on 127.0.0.1:${server.port}`]);
  assertEquals(await stop(server), "");
  assertEquals(await systemd.heard(), STOPPING);
  assertEquals(await systemd.leftovers(), []);
});

testUnless(reason, "serve reports repeatedly that it is alive, if systemd has a watchdog", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(undefined, { WATCHDOG_USEC: "20000" });
  assertEquals((await systemd.heard())[0], "READY=1");
  for (let count = 0; count < 3; count++) assertEquals(await systemd.heard(), ["WATCHDOG=1"]);
  await stop(server);
});

testUnless(reason, "serve sends no reports for a watchdog of another process", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(undefined, { WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  assertEquals((await systemd.heard())[0], "READY=1");
  // Time enough for a report, if one were sent.
  await (await connect({ port: server.port, state: "abc" })).close();
  await server.logged({ event: "leave" });
  await stop(server);
  assertEquals(await systemd.heard(), STOPPING);
});

testUnless(reason, "serve notifies again after a crash that left its socket behind", async () => {
  await using systemd = await Systemd.start();
  await using crashed = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  crashed.kill("SIGKILL");
  await crashed.end();
  assertEquals(await systemd.leftovers(), ["notify.sock"]);
  await using server = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  await stop(server);
});

testUnless(notOnLinux, "serve notifies a systemd whose socket is abstract", async () => {
  await using systemd = await Systemd.start(`@tracker-test-${crypto.randomUUID()}`);
  await using server = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  await stop(server);
});

testUnless(reason, "serve goes on without a systemd that it cannot notify, and says why in one line", async () => {
  await using systemd = await Systemd.start();
  const [unstable = "", net = "", env = "", read = ""] = systemd.permissions;
  const run = `${systemd.directory}/run`;
  const cases: [permissions: string[], env: Record<string, string>, reason: string][] = [
    [[net, env], {}, "Deno was not started with --unstable-net"],
    [[unstable, net, env], {}, `Deno was not given the permission (--allow-read=${run} grants it)`],
    [[unstable, net, env, read], {}, `Deno was not given the permission (--allow-write=${run} grants it)`],
    [
      systemd.permissions,
      { RUNTIME_DIRECTORY: "" },
      "RUNTIME_DIRECTORY is not set; the unit needs RuntimeDirectory=",
    ],
  ];
  for (const [permissions, variables, reason] of cases) {
    await using server = await systemd.serve(permissions, variables);
    await (await connect({ port: server.port })).close();
    const [line, ...rest] = (await stop(server)).split("\n");
    assertEquals(line, `tracker: warning: Cannot notify systemd: ${reason}`);
    assert(rest.every((line) => !line.includes("systemd")), "not one line");
  }
});

testUnless(reason, "serve ends in order after systemd has vanished", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  await systemd.vanish();
  assertStringIncludes(await stop(server), "tracker: warning: Cannot notify systemd: ");
});

testUnless(reason, "serve does not look for systemd if it may not read the environment", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(["-N"]);
  assertEquals(await stop(server), "");
});
