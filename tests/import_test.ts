import { assert, assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

/** Serves the project's own files over loopback http, as a web host would. */
function serveFiles(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    if (!/^\/(mod\.ts|deno\.json|lib\/[a-z]+\.ts)$/.test(path)) return new Response("not found", { status: 404 });
    const text = await Deno.readTextFile(new URL(`.${path}`, root));
    return new Response(text, {
      headers: { "content-type": path.endsWith(".json") ? "application/json" : "application/typescript" },
    });
  });
}

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

Deno.test("the library core imports nothing but its own files", async () => {
  const seen = new Set<string>();
  const visit = async (url: URL) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = await Deno.readTextFile(url);
    for (const [, specifier = ""] of source.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)";/gm)) {
      assert(specifier.startsWith("./"), `${url.pathname} imports ${specifier}`);
      await visit(new URL(specifier, url));
    }
  };
  await visit(new URL("mod.ts", root));
  assertEquals([...seen].filter((url) => url.includes("/commands/")), []);
  assert(seen.size >= 9);
});
