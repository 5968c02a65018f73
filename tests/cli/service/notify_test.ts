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

const notOnLinux = Deno.build.os === "linux" ? reason : "only Linux has sockets that are no files";

/** Listens in systemd's place, and gives the server a directory of its own. */
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

  /** The permissions that a server needs to be heard. */
  get permissions(): string[] {
    const [own, target] = [`${this.directory}/run`, this.#target];
    const writable = target.startsWith("@") ? "-W" : `-W=${own},${target}`;
    return ["--unstable-net", "-N", "-E", `-R=${own}`, writable];
  }

  /** Starts a server as a unit would. */
  async serve(permissions: string[] = this.permissions, env: Record<string, string> = {}): Promise<RunningServer> {
    const variables = { NOTIFY_SOCKET: this.#target, RUNTIME_DIRECTORY: `${this.directory}/run`, ...env };
    const server = new RunningServer(
      commandLine(["serve", "--port=0", "--log=json"], permissions),
      surroundings(variables),
    );
    return await server.listening();
  }

  /** The lines of the next message. */
  async heard(): Promise<string[]> {
    return JSON.parse(await this.#listener.stdout.line());
  }

  /** The names of what lies in the server's directory. */
  async leftovers(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(`${this.directory}/run`));
    return entries.map(({ name }) => name);
  }

  /** Goes away in the middle of it all. */
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

testUnless(reason, "serve tells systemd where it listens, and that it stops, and leaves no socket behind", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve();
  assertEquals(await systemd.heard(), ["READY=1", `STATUS=listening on 127.0.0.1:${server.port}`]);
  assertEquals(await stop(server), "");
  assertEquals(await systemd.heard(), STOPPING);
  assertEquals(await systemd.leftovers(), []);
});

testUnless(reason, "serve reports again and again that it is alive, if systemd watches", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(undefined, { WATCHDOG_USEC: "20000" });
  assertEquals((await systemd.heard())[0], "READY=1");
  for (let count = 0; count < 3; count++) assertEquals(await systemd.heard(), ["WATCHDOG=1"]);
  await stop(server);
});

testUnless(reason, "serve leaves it to another process to be alive, if that is the one being watched", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(undefined, { WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" });
  assertEquals((await systemd.heard())[0], "READY=1");
  // Time for a report, were there to be one.
  await (await connect({ port: server.port, state: "abc" })).close();
  await server.logged({ event: "leave" });
  await stop(server);
  assertEquals(await systemd.heard(), STOPPING);
});

testUnless(reason, "serve is heard again after a crash that left its socket behind", async () => {
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

testUnless(notOnLinux, "serve reaches a systemd whose socket is no file", async () => {
  await using systemd = await Systemd.start(`@tracker-test-${crypto.randomUUID()}`);
  await using server = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  await stop(server);
});

testUnless(reason, "serve goes on without a systemd that it cannot tell, and says why in one line", async () => {
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

testUnless(reason, "serve ends in order when systemd has vanished meanwhile", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve();
  assertEquals((await systemd.heard())[0], "READY=1");
  await systemd.vanish();
  assertStringIncludes(await stop(server), "tracker: warning: Cannot notify systemd: ");
});

testUnless(reason, "serve does not look for systemd where it may not read the environment", async () => {
  await using systemd = await Systemd.start();
  await using server = await systemd.serve(["-N"]);
  assertEquals(await stop(server), "");
});
