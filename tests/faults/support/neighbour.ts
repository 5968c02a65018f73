/**
 * A client that asks for little, one thing at a time, and one that promises a heartbeat and falls silent.
 *
 * @module
 */

import { delay } from "../../../lib/base/async.ts";
import { decodeEvents } from "../../../lib/wire/mod.ts";
import { ByteClient } from "../../support/byte_client.ts";
import { type Latency, latencyOf } from "./good.ts";
import { job, questions, tell } from "./talk.ts";

/** What neighbours of an attacker notice: how long Pings took, and more. */
export interface Neighbourhood extends Latency {
  /** From the last byte of a client with a heartbeat of a second to its leave, in milliseconds. */
  detected: number;
}

/** How often the client that will fall silent is heard before, in milliseconds. */
const BEAT = 250;

async function dial(port: number, hello: unknown = {}): Promise<ByteClient<Deno.TcpConn>> {
  const connection = await Deno.connect({ port });
  connection.setNoDelay(true);
  const client = new ByteClient(connection);
  await client.hello(hello);
  return client;
}

async function ping(client: ByteClient<Deno.TcpConn>): Promise<void> {
  await client.send(42, 7);
  await client.expect(1);
}

/** Waits for the leave of a client that has fallen silent. Resolves with the time from its last byte, in milliseconds. */
async function detect(port: number, name: string): Promise<number> {
  using fading = closing(await dial(port, { name, heartbeat: 1 }));
  using watcher = closing(await dial(port));
  await watcher.client.watch({ prefix: name });
  await fading.client.open("here");
  await delay(BEAT);
  await fading.client.update("still here");
  const silentSince = performance.now();
  for (;;) {
    const events = decodeEvents(await watcher.client.readPayload());
    if (events.some(({ kind }) => kind === "leave")) return performance.now() - silentSince;
  }
}

function closing(client: ByteClient<Deno.TcpConn>): Disposable & { client: ByteClient<Deno.TcpConn> } {
  return { client, [Symbol.dispose]: () => client.close() };
}

if (import.meta.main) {
  const { port } = job<{ port: number }>();
  const clients = await Promise.all([dial(port), dial(port)]);
  let rounds = 0;
  tell({});
  for await (const { milliseconds } of questions<{ milliseconds: number }>()) {
    const times: number[] = [];
    let isOver = false;
    const measuring = clients.map(async (client) => {
      while (!isOver) {
        const before = performance.now();
        await ping(client);
        times.push(performance.now() - before);
      }
    });
    const enough = delay(milliseconds);
    const detected = await detect(port, `fading${rounds++}`);
    await enough;
    isOver = true;
    await Promise.all(measuring);
    tell({ ...latencyOf(times), detected } satisfies Neighbourhood);
  }
  Deno.exit(0);
}
