/** Clients that ask for as much as they can, and what their neighbours notice of it. */

import { assertGreater, assertLess } from "@std/assert";
import { testUnless } from "../support/program.ts";
import type { AttackJob } from "./support/attacker.ts";
import type { CrowdJob } from "./support/crowd.ts";
import type { FullServerJob, FullServerState } from "./support/full_server.ts";
import { Helper } from "./support/helper.ts";
import type { Neighbourhood } from "./support/neighbour.ts";
import { figure, notLinux, scale, time } from "./support/scale.ts";

/** An attack: what it is called, who takes part, and how many watch. */
type Attack = Omit<AttackJob, "port"> & { watchers?: number };

/** Each of the first sends a megabyte of requests a second, in bursts; others whatever the server takes. */
const ATTACKS: readonly Attack[] = [
  { kind: "lists of nobody", connections: 1, rate: 1e6 },
  { kind: "lists of a group", connections: 1, rate: 1e6 },
  { kind: "lists of all", connections: 1, rate: 1e6 },
  { kind: "gets", connections: 1, rate: 1e6 },
  { kind: "updates and pings", connections: 1, rate: 1e6 },
  { kind: "pings", connections: 1, rate: 1e6 },
  { kind: "opens", connections: 1, rate: 1e6 },
  { kind: "stats", connections: 1, rate: 1e6 },
  { kind: "updates", connections: 20 },
  { kind: "gets", connections: 20 },
  { kind: "updates", connections: 20, rate: 1e6, watchers: 1_000 },
  { kind: "resumes", connections: 1, rate: 100 },
];

/** Two and a half times the shortest heartbeat, in milliseconds. */
const BOUND = 2_500;

/** What is expected of an undisturbed machine, in milliseconds; the suite allows for one that has other work. */
const P99 = scale(50, 5);
const WORST = scale(250, 30);
const LATE = scale(300, 100);

/** Time between the last byte's arrival at the server and the return of its write. */
const EARLY = 20;

/** The measurement is of a machine with other work too: what happens every time is the server's doing. */
const ATTEMPTS = scale(3, 5);

function start<Job>(program: string, job: Job): Helper {
  return new Helper(program, job, { permissions: ["-N", "--allow-sys"] });
}

function nameOf({ kind, connections, watchers }: Attack): string {
  const who = connections === 1 ? kind : `${kind} of ${connections} connections`;
  return watchers === undefined ? who : `${who}, told to ${watchers} watchers`;
}

/** Measures a neighbour beside an attack. */
async function besides(port: number, { watchers, ...attack }: Attack, neighbour: Helper): Promise<Neighbourhood> {
  await using stack = new AsyncDisposableStack();
  if (watchers !== undefined) {
    // Those that attack have numbers for names.
    const job: CrowdJob = { port, kind: "watcher", count: scale(100, watchers), prefix: "client" };
    const crowd = stack.use(start("crowd.ts", job));
    await crowd.answer();
  }
  const attacker = stack.use(start<AttackJob>("attacker.ts", { port, ...attack }));
  await attacker.answer();
  const before = (await attacker.ask<{ sent: number }>({})).sent;
  const noticed = await neighbour.ask<Neighbourhood>({ milliseconds: scale(500, 5_000) });
  assertGreater((await attacker.ask<{ sent: number }>({})).sent, before, "the attack goes on all the time");
  return noticed;
}

/** Whether a neighbour was served as it should be. */
function isFair({ p99, worst, detected }: Neighbourhood): boolean {
  return p99 < P99 && worst < WORST && detected < BOUND + LATE;
}

for (const clients of new Set([scale(2_000, 10_000), scale(2_000, 100_000)])) {
  testUnless(notLinux, `no client holds up another, with ${clients} in the map`, async () => {
    await using server = start<FullServerJob>("full_server.ts", { clients });
    const { port } = await server.answer<FullServerState>();
    await using neighbour = start("neighbour.ts", { port });
    await neighbour.answer();
    for (const attack of ATTACKS) {
      let noticed = await besides(port, attack, neighbour);
      for (let attempt = 1; attempt < ATTEMPTS && !isFair(noticed); attempt++) {
        noticed = await besides(port, attack, neighbour);
      }
      const { p99, worst, detected } = noticed;
      figure(
        `${nameOf(attack)}, ${clients} clients`,
        `a Ping beside it: 99th percentile ${time(p99)}, worst ${time(worst)}; silence noticed after ${time(detected)}`,
      );
      assertLess(p99, P99, nameOf(attack));
      assertLess(worst, WORST, nameOf(attack));
      assertGreater(detected, BOUND - EARLY, nameOf(attack));
      assertLess(detected, BOUND + LATE, nameOf(attack));
    }
  });
}
