import { assertEquals } from "@std/assert";
import { Pool } from "../../lib/base/pool.ts";

Deno.test("a pool makes things only when it has none, and lends the one returned last", () => {
  let made = 0;
  const pool = new Pool(2, () => ++made);
  assertEquals([pool.take(), pool.take()], [1, 2]);
  pool.give(1);
  pool.give(2);
  assertEquals([pool.take(), pool.take(), pool.take()], [2, 1, 3]);
});

Deno.test("a pool keeps no more things than its limit", () => {
  let made = 0;
  const pool = new Pool(1, () => ++made);
  const [one, two] = [pool.take(), pool.take()];
  pool.give(one);
  pool.give(two);
  assertEquals([pool.take(), pool.take()], [1, 3]);
});
