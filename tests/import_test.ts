/** What `main.ts` and `mod.ts` need to be imported and run: from a URL, and from a cache with next to nothing in it. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { read, ROOT } from "./support/page.ts";
import { noShell, RunningServer, testUnless } from "./support/program.ts";

/** Serves the project's own files over loopback http, as a web host would. */
function serveFiles(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    if (!/^\/(mod\.ts|main\.ts|deno\.json|lib\/([a-z]+\/)*[a-z_.]+\.ts)$/.test(path)) {
      return new Response("not found", { status: 404 });
    }
    const text = await Deno.readTextFile(new URL(`.${path}`, ROOT));
    const type = path.endsWith(".json") ? "application/json" : "application/typescript";
    return new Response(text, { headers: { "content-type": type } });
  });
}

/** Creates an empty directory, and a cache for Deno that holds nothing but the standard library. */
async function createStranger(): Promise<Stranger> {
  const directory = await Deno.makeTempDir();
  const { npmCache } = await info();
  await Deno.mkdir(`${directory}/work`);
  for await (const { name: registry } of Deno.readDir(npmCache)) {
    await copyFolder(`${npmCache}/${registry}/deno-std`, `${directory}/cache/npm/${registry}/deno-std`);
  }
  const path = `${Deno.execPath().replace(/[^/\\]*$/, "")}:${Deno.env.get("PATH") ?? ""}`;
  return {
    directory,
    options: { cwd: `${directory}/work`, env: { DENO_DIR: `${directory}/cache`, PATH: path, NO_COLOR: "1" } },
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

/** What Deno knows of its cache, or of a module. */
// deno-lint-ignore no-explicit-any -- JSON
async function info(...modules: string[]): Promise<any> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", ...modules] }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Copies a package in the cache. A link would not do: Deno resolves it, and finds the package in another cache. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copyFolder : Deno.copyFile)(`${from}/${name}`, `${to}/${name}`);
  }
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

// On Windows deno install makes a batch file instead of a shell script.
testUnless(noShell, "deno install makes a program of main.ts at a URL", async () => {
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

Deno.test("main.ts serves from a cache that holds nothing but the standard library", async () => {
  await using stranger = await createStranger();
  const args = ["run", "--cached-only", "-N", "--no-prompt", new URL("main.ts", ROOT).href, "serve", "--port", "0"];
  await using server = new RunningServer([Deno.execPath(), ...args], stranger.options);
  await expectService(server);
});

Deno.test("main.ts loads no package but the standard library", async () => {
  const { modules, npmPackages } = await info(new URL("main.ts", ROOT).href);
  const specifiers: string[] = modules.map(({ specifier }: { specifier: string }) => specifier);
  const foreign = specifiers.filter((specifier) => !/^(file:|npm:\/deno-std@)/.test(specifier));
  assertEquals(foreign, ["node:fs"]);
  assertEquals(Object.keys(npmPackages), [`deno-std@${STANDARD.version}`]);
});

/** The specifiers of the standard library in `deno.json`, and the version in them. */
const STANDARD = await (async () => {
  const { imports } = JSON.parse(await read("deno.json"));
  const specifiers = new Map(Object.entries<string>(imports).filter(([name]) => name.startsWith("@std/")));
  const [, version = ""] = /@([\d.]+)\//.exec(imports["@std/assert"]) ?? [];
  return { specifiers, version };
})();

Deno.test("the standard library is used in one version, wherever that is written", async () => {
  const inline = await read("lib/cli/std.ts");
  const written = [...STANDARD.specifiers.values(), ...inline.match(/(?<=")npm:[^"]+/g) ?? []];
  for (const specifier of written) assert(specifier.startsWith(`npm:deno-std@${STANDARD.version}/`), specifier);
  // Both name the packages in use: the import map, and std.ts for what has to do without one.
  const mapped = [...STANDARD.specifiers.keys()];
  const inlined = Array.from(inline.matchAll(/^\/\/ (@std\/[a-z]+)/gm), ([, name]) => name);
  assertEquals(mapped, ["@std/assert", "@std/bytes", "@std/cli/parse-args", "@std/streams"]);
  assertEquals(inlined, ["@std/bytes", "@std/cli", "@std/streams", "@std/text"]);
});
