import { assertEquals } from "@std/assert";
import { partitionPoint } from "../../lib/base/search.ts";

Deno.test("partitionPoint finds the first item that is not before the point, in sequences of every small size", () => {
  for (let length = 0; length <= 17; length++) {
    const items = Array.from({ length }, (_, at) => at);
    for (let point = 0; point <= length; point++) {
      assertEquals(partitionPoint(items, (item) => item < point), point, `${point} of ${length}`);
    }
  }
});

Deno.test("partitionPoint finds the first of equal items, and takes typed arrays", () => {
  const items = Float64Array.of(1, 2, 2, 2, 3);
  assertEquals(partitionPoint(items, (item) => item < 2), 1);
  assertEquals(partitionPoint(items, (item) => item <= 2), 4);
});

Deno.test("partitionPoint looks at no more than log2 of the items", () => {
  const items = Array.from({ length: 1_000_000 }, (_, at) => at);
  let looks = 0;
  assertEquals(partitionPoint(items, (item) => ++looks > 0 && item < 777_777), 777_777);
  assertEquals(looks <= 20, true);
});
