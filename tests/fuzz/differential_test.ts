/** Our HTTP and WebSocket against others: Node.js's parser, in a process of its own, and the package ws. */

import { assert } from "@std/assert";
import { isInstalled, testUnless } from "../support/program.ts";
import { runFrames, runHeads } from "./differential/compare.ts";

const noNode = await isInstalled("node") ? undefined : "node is not installed";

testUnless(noNode, "whatever we take for a request is the same request for Node.js", async () => {
  const { counts } = await runHeads({ seed: 20261127, inputs: 10_000 });
  assert((counts.get("both take it") ?? 0) > 1_000);
  assert((counts.get("both refuse it") ?? 0) > 1_000);
});

Deno.test("whatever we read from frames is what the package ws reads, and the other way round", async () => {
  const { counts } = await runFrames({ seed: 20261127, inputs: 5_000 });
  for (const decision of ["both take it", "both refuse it", "written and read"]) {
    assert((counts.get(decision) ?? 0) > 100, decision);
  }
});
