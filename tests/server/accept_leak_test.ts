import { assertEquals, assertLess } from "@std/assert";
import { runMeasurement } from "../support/heap.ts";

Deno.test("a pause of the accept loop leaves nothing behind, whether it paces connections or follows a failure", async () => {
  const kept = await runMeasurement<Record<string, number>>(new URL("accept_heap.ts", import.meta.url));
  for (const [name, bytes] of Object.entries(kept)) assertLess(bytes, 64, `${name}: ${bytes} bytes of heap a pause`);
  assertEquals(Object.keys(kept), ["paced", "failing"]);
});
