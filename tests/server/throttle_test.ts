import { assert, assertEquals } from "@std/assert";
import { Deadlines } from "../../lib/base/deadlines.ts";
import { Throttle } from "../../lib/server/throttle.ts";
import { VirtualTime } from "../support/virtual_time.ts";

/** How long a pause lasts on virtual time, in milliseconds. */
async function pauseOf(throttle: Throttle, time: VirtualTime): Promise<number> {
  const start = time.now;
  let end: number | null = null;
  const pause = throttle.pause().then(() => end = time.now);
  while (end === null) await time.advance(1);
  await pause;
  return end - start;
}

Deno.test("a second's worth of messages may come at once", () => {
  using _time = new VirtualTime();
  const throttle = new Throttle(100, new Deadlines());
  assert(!throttle.isExceeded);
  throttle.spend(60);
  throttle.spend(40);
  assert(!throttle.isExceeded);
  throttle.spend(1);
  assert(throttle.isExceeded);
});

Deno.test("a client that has sent too many messages waits until they have been earned", async () => {
  using time = new VirtualTime();
  const throttle = new Throttle(100, new Deadlines());
  throttle.spend(125);
  assert(throttle.isExceeded);
  assertEquals(await pauseOf(throttle, time), 250);
  assert(!throttle.isExceeded);
  throttle.spend(1);
  assert(throttle.isExceeded);
  assertEquals(await pauseOf(throttle, time), 10);
});

Deno.test("releasing ends a wait at once, and does nothing without one", async () => {
  using time = new VirtualTime();
  const throttle = new Throttle(100, new Deadlines());
  throttle.release();
  throttle.spend(1_000_000);
  assert(throttle.isExceeded);
  const start = time.now;
  const pause = throttle.pause();
  throttle.release();
  await pause;
  assertEquals(time.now, start);
});

Deno.test("a long silence earns no more than a second's worth", async () => {
  using time = new VirtualTime();
  const throttle = new Throttle(100, new Deadlines());
  await time.advance(60_000);
  throttle.spend(101);
  assert(throttle.isExceeded);
});
