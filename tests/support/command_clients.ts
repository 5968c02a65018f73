/** What tests of commands that speak the extensions have in common. */

import { assertEquals } from "@std/assert";
import { Registry, serve, type ServeOptions, type Server } from "../../mod.ts";
import { HOSTILE_TEXTS } from "./hostile.ts";
import { run, type StartOptions } from "./program.ts";

/** A server in this process, whose map a test can fill with whatever it likes. */
export function startOwnServer(options: ServeOptions = {}): Server & { flags: [string, string] } {
  const server = serve({ port: 0, ...options });
  return Object.assign(server, { flags: ["--server", `127.0.0.1:${server.addr.port}`] as [string, string] });
}

/** A map of everything that could be mistaken for something else: identifiers and states. */
export function hostileRegistry(): Registry {
  const registry = new Registry();
  for (const text of Object.values(HOSTILE_TEXTS)) registry.open(text, { id: `x${text.slice(0, 300)}` });
  registry.open(Uint8Array.of(0xff, 0x1b, 0x9b), { id: "no text" });
  return registry;
}

/** Runs a command line that must succeed in silence, and returns what it prints. */
export async function output(args: readonly string[], options?: StartOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options);
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout;
}

/** A file of one's own, for as long as a test lasts. */
export async function secretFile(text: string, mode = 0o600): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** A server that answers the first read of its one connection with the first reply, and so on; then it is silent. */
export function startScript(replies: readonly Uint8Array[]): { flags: [string, string] } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const playing = (async () => {
    using connection = await listener.accept();
    const rest = [...replies];
    while (await connection.read(new Uint8Array(4_096)) !== null) {
      const reply = rest.shift();
      if (reply !== undefined) await connection.write(reply);
    }
  })();
  return {
    flags: ["--server", `127.0.0.1:${listener.addr.port}`],
    async [Symbol.asyncDispose]() {
      listener.close();
      await playing.catch(() => {});
    },
  };
}
