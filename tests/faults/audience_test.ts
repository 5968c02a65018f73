/** Many watchers, and watchers that are far behind. */

import { assertLess } from "@std/assert";
import { delay } from "../../lib/base/async.ts";
import { testUnless } from "../support/program.ts";
import type { AudienceAnswer, AudienceJob, AudienceQuestion } from "./support/audience.ts";
import type { CrowdJob } from "./support/crowd.ts";
import type { FullServerJob, FullServerQuestion, FullServerState } from "./support/full_server.ts";
import { Helper } from "./support/helper.ts";
import { affordable, figure, median, notLinux, scale, size, time } from "./support/scale.ts";
import { startFaulty } from "./support/server.ts";

/** A server with so many clients, and somebody who watches it. */
class Theatre implements AsyncDisposable {
  readonly #server: Helper;
  readonly #audience: Helper;

  private constructor(server: Helper, audience: Helper) {
    this.#server = server;
    this.#audience = audience;
  }

  static async open(clients: number, stuck: number): Promise<Theatre> {
    const job: FullServerJob = { clients };
    const server = new Helper("full_server.ts", job, { permissions: ["-N", "--allow-sys"] });
    const { port } = await server.answer<FullServerState>();
    const audience = new Helper("audience.ts", { port, stuck } satisfies AudienceJob);
    await audience.answer();
    return new Theatre(server, audience);
  }

  async ask(question: AudienceQuestion): Promise<number> {
    return (await this.#audience.ask<AudienceAnswer>(question)).took;
  }

  /** Updates every client, and measures how long it takes until all watchers have been told, in milliseconds. */
  async updateAll(): Promise<number> {
    const last = "the last of all states";
    const told = this.ask({ until: last });
    await this.#server.ask<FullServerState>({ last } satisfies FullServerQuestion);
    return await told;
  }

  async resident(): Promise<number> {
    return (await this.#server.ask<FullServerState>({} satisfies FullServerQuestion)).resident;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#audience[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}

testUnless(notLinux, "watchers that are stuck in the map hold up none of the others", async () => {
  const clients = scale(10_000, 100_000);
  await using theatre = await Theatre.open(clients, 12);
  const before = await theatre.resident();
  const begun: number[] = [];
  for (let round = 0; round < scale(2, 5); round++) begun.push(await theatre.ask({ begin: 5 }));
  await theatre.updateAll();
  const grown = await theatre.resident() - before;
  figure(`5 watchers have all of ${clients} clients, beside 12 that are stuck`, time(median(begun)));
  figure("memory for all of them", size(grown));
  assertLess(median(begun), scale(1_000, 300));
  assertLess(grown, 300 * 2 ** 20);
});

testUnless(notLinux, "everybody's updates are told to many watchers in the time it takes to read them", async () => {
  const clients = scale(10_000, 200_000);
  const watchers = 40;
  await using theatre = await Theatre.open(clients, 0);
  await theatre.ask({ begin: watchers });
  const took = await theatre.updateAll();
  figure(`updates of ${clients} clients told to ${watchers} watchers`, time(took));
  assertLess(took, scale(5_000, 5_000));
});

testUnless(notLinux, "a server with many watchers needs little memory to say goodbye to them", async () => {
  const watchers = scale(100, 2_000);
  const clients = affordable(scale(400, 10_000)) - watchers;
  const args = ["--log", "off", "--max-clients", "20000"];
  await using server = await startFaulty({ args });
  const { port } = server;
  await using crowd = new Helper("crowd.ts", { port, kind: "open", count: clients } satisfies CrowdJob);
  await crowd.answer();
  await using audience = new Helper("crowd.ts", { port, kind: "watcher", count: watchers } satisfies CrowdJob);
  await audience.answer();
  await server.until(({ now }) => now.clients === clients && now.watchers === watchers);
  const before = await server.residentBytes();
  let most = before;
  let hasEnded = false;
  server.kill("SIGTERM");
  const begun = performance.now();
  const ended = server.status.then(() => hasEnded = true);
  while (!hasEnded) {
    const now = await server.residentBytes();
    if (now > 0) most = Math.max(most, now);
    await delay(5);
  }
  await ended;
  const took = performance.now() - begun;
  figure(`a goodbye to ${clients} clients and ${watchers} watchers`, `${size(most - before)} more, ${time(took)}`);
  assertLess(most - before, 300 * 2 ** 20);
  assertLess(took, 10_000);
});
