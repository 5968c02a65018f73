import { assert, assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { RunningServer, testUnless } from "./support/program.ts";

const root = new URL("../", import.meta.url);

/** Serves the project's own files over loopback http, as a web host would. */
function serveFiles(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    if (!/^\/(mod\.ts|main\.ts|deno\.json|lib\/([a-z]+\/)*[a-z_.]+\.ts)$/.test(path)) {
      return new Response("not found", { status: 404 });
    }
    const text = await Deno.readTextFile(new URL(`.${path}`, root));
    const type = path.endsWith(".json") ? "application/json" : "application/typescript";
    return new Response(text, { headers: { "content-type": type } });
  });
}

/** An empty directory, and a deno that knows no module but the packages that the tests use as well. */
async function createStranger(): Promise<Stranger> {
  const directory = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  await Deno.mkdir(`${directory}/cache`);
  await Deno.mkdir(`${directory}/work`);
  await Deno.symlink(JSON.parse(new TextDecoder().decode(stdout)).npmCache, `${directory}/cache/npm`, { type: "dir" });
  const path = `${Deno.execPath().replace(/[^/\\]*$/, "")}:${Deno.env.get("PATH") ?? ""}`;
  return {
    directory,
    options: { cwd: `${directory}/work`, env: { DENO_DIR: `${directory}/cache`, PATH: path, NO_COLOR: "1" } },
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

interface Stranger extends AsyncDisposable {
  directory: string;
  options: { cwd: string; env: Record<string, string> };
}

/** Expects a server that answers, and that ends when it is told to. */
async function expectService(server: RunningServer): Promise<void> {
  await server.listening();
  await using client = await connect({ port: server.port, state: "abc" });
  assertEquals(await client.getText(), "{client1=abc}");
  await client.close();
  server.kill("SIGINT");
  assertEquals((await server.end()).code, 0);
}

Deno.test("main.ts runs from a URL, in a directory with no import map and no config", async () => {
  await using stranger = await createStranger();
  await using host = serveFiles();
  const address = `127.0.0.1:${host.addr.port}`;
  const args = ["run", "-N", "--no-prompt", `--allow-import=${address}`, `http://${address}/main.ts`];
  await using server = new RunningServer([Deno.execPath(), ...args, "serve", "--port", "0"], stranger.options);
  await expectService(server);
});

/** What deno install makes is a shell script here and a batch file there. */
const noScript = Deno.build.os === "windows" ? "there is no sh" : undefined;

testUnless(noScript, "deno install makes a program of main.ts at a URL", async () => {
  await using stranger = await createStranger();
  await using host = serveFiles();
  const { directory, options } = stranger;
  const address = `127.0.0.1:${host.addr.port}`;
  const flags = ["--global", "-N", "--no-prompt", `--allow-import=${address}`, "--root", directory];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", ...flags, "--name", "tracker", `http://${address}/main.ts`],
    ...options,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  await using server = new RunningServer([`${directory}/bin/tracker`, "serve", "--port", "0"], options);
  await expectService(server);
});

Deno.test("mod.ts works from a URL, for a program with no import map and no config", async () => {
  const directory = await Deno.makeTempDir();
  await using host = serveFiles();
  const { port } = host.addr;
  await Deno.writeTextFile(
    `${directory}/program.ts`,
    `import { connect, serve } from "http://127.0.0.1:${port}/mod.ts";
    await using server = serve({ port: 0 });
    await using client = await connect({ port: server.addr.port, state: "from a URL" });
    console.log(await client.getText());`,
  );
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-N", "--no-config", "--no-prompt", "--check", `--allow-import=127.0.0.1:${port}`, "program.ts"],
      cwd: directory,
      // A cache of its own: nothing may come from anywhere but the URL.
      env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "{client1=from a URL}\n", new TextDecoder().decode(stderr));
    assertEquals(code, 0);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("the standard library is used in one version, wherever that is written", async () => {
  const paths = ["deno.json", "lib/cli/std.ts"];
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(new URL(path, root))));
  const versions = texts.map((text) =>
    new Set(Array.from(text.matchAll(/deno-std@([\d.]+)/g), ([, version]) => version))
  );
  assertEquals(versions[0]?.size, 1);
  assertEquals(versions[1], versions[0]);
});
