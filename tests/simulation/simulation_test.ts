/** A few of the simulations that `deno task simulate` runs, with fixed seeds. */

import { assertEquals, assertGreater } from "@std/assert";
import { type IdentityReport, simulateIdentity } from "./identity.ts";
import { type Report, simulate } from "./simulation.ts";

Deno.test("every mirror equals the map, with hundreds of clients and watchers on bad connections", async () => {
  const reports: Report[] = [];
  for (const seed of [6, 7]) reports.push(await simulate(seed));
  const sum = (key: keyof Report) => reports.reduce((all, report) => all + report[key], 0);
  // The simulation must cover what it is for.
  for (const key of ["skipped", "leaves", "resumes", "snapshots", "lists", "slow"] as const) {
    assertGreater(sum(key), 0, key);
  }
});

Deno.test("simulation repeats itself from the same seed", async () => {
  assertEquals(await simulate(7), await simulate(7));
});

Deno.test("on a network that holds back, loses and breaks, everybody is there in time and no past comes back", async () => {
  const reports: IdentityReport[] = [];
  for (let seed = 1; seed <= 25; seed++) reports.push(await simulateIdentity(seed));
  const sum = (key: keyof IdentityReport) => reports.reduce((all, report) => all + report[key], 0);
  for (const key of ["superseded", "takenBack", "powerCuts", "restarts", "puts", "late"] as const) {
    assertGreater(sum(key), 0, key);
  }
});
