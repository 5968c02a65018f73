/**
 * Requests a second, as wrk makes them.
 *
 * @module
 */

import { type ServerName, startServer } from "./servers.ts";

/** What is asked. */
export interface RestOptions {
  readonly path: string;
  readonly method?: string;
  readonly seconds: number;
}

/**
 * Measures how many requests a server answers, from 50 connections.
 *
 * @param name The server
 * @param options What is asked
 * @returns Requests a second
 */
export async function measureRest(name: ServerName, { path, method = "GET", seconds }: RestOptions): Promise<number> {
  await using server = await startServer(name);
  const base = `http://127.0.0.1:${server.port}`;
  if (name === "tracker") await fill(base, path);
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(script, method === "PUT" ? 'wrk.method = "PUT"\nwrk.body = "open"\n' : "");
  const args = ["-t1", "-c50", `-d${Math.ceil(seconds)}s`, "-s", script, `${base}${path}`];
  const { stdout } = await new Deno.Command("wrk", { args, stderr: "inherit" }).output();
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  if (rate === undefined || text.includes("Non-2xx")) throw new Error(`Cannot measure ${name}:\n${text}`);
  return Number(rate);
}

/** Makes a map as long as the other's, or the one client that is asked for. */
async function fill(base: string, path: string): Promise<void> {
  const count = path === "/map" ? 380 : 1;
  for (let at = 0; at < count; at++) {
    const [id, body] = count === 1 ? ["door", "open"] : [`pi-${at}-123`, "0123456789"];
    await (await fetch(`${base}/clients/${id}?for=1h`, { method: "PUT", body })).body?.cancel();
  }
}
