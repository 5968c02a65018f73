/** Shared parts of the tests of commands that use the extensions. */

import { assertEquals } from "@std/assert";
import { Registry, serve, type ServeOptions, type Server } from "../../mod.ts";
import { HOSTILE_TEXTS } from "./hostile.ts";
import { type Peer, run, type StartOptions, startPeer } from "./program.ts";

/** Starts a server in this process, whose map a test can fill with anything. */
export function startOwnServer(options: ServeOptions = {}): Server & { flags: [string, string] } {
  const server = serve({ port: 0, ...options });
  return Object.assign(server, { flags: ["--server", `127.0.0.1:${server.addr.port}`] as [string, string] });
}

/** Creates a map whose identifiers and states could be mistaken for something else. */
export function hostileRegistry(): Registry {
  const registry = new Registry();
  for (const text of Object.values(HOSTILE_TEXTS)) registry.open(text, { id: `x${text.slice(0, 300)}` });
  registry.open(Uint8Array.of(0xff, 0x1b, 0x9b), { id: "no text" });
  return registry;
}

/** Runs a command line that must succeed without a word on standard error, and returns its output. */
export async function output(args: readonly string[], options?: StartOptions): Promise<string> {
  const { code, stdout, stderr } = await run(args, options);
  assertEquals([code, stderr], [0, ""], stdout);
  return stdout;
}

/** Creates a file with a secret, which lasts as long as the test. */
export async function secretFile(text: string, mode = 0o600): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

/** Starts a server that answers each read of its one connection with the next reply; then it is silent. */
export function startScript(replies: readonly Uint8Array[]): Peer {
  return startPeer(async (connection) => {
    const rest = [...replies];
    while (await connection.read(new Uint8Array(4_096)) !== null) {
      const reply = rest.shift();
      if (reply !== undefined) await connection.write(reply);
    }
  });
}
