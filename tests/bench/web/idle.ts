/**
 * A process with many subscribers that have nothing to do: `idle.ts NAME PORT MANNER COUNT`. It prints a line when all are
 * there, and ends with its input.
 *
 * @module
 */

import { write } from "../output.ts";
import { type Manner, subscribe } from "./client.ts";
import type { ServerName } from "./servers.ts";

const [name, port, manner, count] = Deno.args as [ServerName, string, Manner, string];

const WAVE = 64;

const connections: Deno.TcpConn[] = [];
for (let begun = 0; begun < Number(count); begun += WAVE) {
  const wave = Array.from({ length: Math.min(WAVE, Number(count) - begun) }, (_, at) => {
    return subscribe(name, Number(port), manner, begun + at);
  });
  connections.push(...await Promise.all(wave));
}
// What comes is read, so that nobody waits for them.
const buffer = new Uint8Array(65_536);
for (const connection of connections) {
  void (async () => {
    while (await connection.read(buffer) !== null);
  })().catch(() => {});
}
write("ready\n");
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
