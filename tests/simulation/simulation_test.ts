/** A few of the simulations that `deno task simulate` runs, always the same. */

import { assertEquals, assertGreater } from "@std/assert";
import { type Report, simulate } from "./simulation.ts";

Deno.test("hundreds of clients and watchers on bad connections: every mirror is the map", async () => {
  const reports: Report[] = [];
  for (const seed of [3, 7]) reports.push(await simulate(seed));
  const sum = (key: keyof Report) => reports.reduce((all, report) => all + report[key], 0);
  // What the simulation is for must happen in it.
  for (const key of ["skipped", "leaves", "resumes", "snapshots", "lists", "slow"] as const) {
    assertGreater(sum(key), 0, key);
  }
});

Deno.test("a simulation is repeated by its seed", async () => {
  assertEquals(await simulate(7), await simulate(7));
});
