import { assert, assertEquals } from "@std/assert";
import { Deadline, DeadlineQueue } from "../lib/deadlines.ts";

/** A deadline that can be waited for. */
function awaitable(): { deadline: Deadline; expired: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { deadline: new Deadline(resolve), expired: promise };
}

Deno.test("a deadline expires once, not before its time", async () => {
  const queue = new DeadlineQueue(20);
  const { deadline, expired } = awaitable();
  const start = performance.now();
  queue.arm(deadline);
  assert(deadline.armed);
  await expired;
  assert(performance.now() - start >= 20);
  assert(!deadline.armed);
});

Deno.test("a disarmed deadline does not expire, and does not hold up the ones behind it", async () => {
  const queue = new DeadlineQueue(10);
  let wrong = 0;
  const disarmed = [new Deadline(() => wrong++), new Deadline(() => wrong++), new Deadline(() => wrong++)];
  const { deadline, expired } = awaitable();
  const [first, second, third] = disarmed;
  assert(first !== undefined && second !== undefined && third !== undefined);
  queue.arm(first);
  queue.arm(second);
  queue.arm(deadline);
  queue.arm(third);
  second.disarm();
  first.disarm();
  third.disarm();
  third.disarm();
  await expired;
  assertEquals(wrong, 0);
});

Deno.test("arming anew begins anew", async () => {
  const queue = new DeadlineQueue(30);
  const order: string[] = [];
  const done = Promise.withResolvers<void>();
  const early = new Deadline(() => order.push("early"));
  const late = new Deadline(() => {
    order.push("late");
    done.resolve();
  });
  queue.arm(late);
  queue.arm(early);
  queue.arm(late);
  await done.promise;
  assertEquals(order, ["early", "late"]);
});

Deno.test("a deadline armed while another expires is kept", async () => {
  const queue = new DeadlineQueue(5);
  const { deadline, expired } = awaitable();
  queue.arm(new Deadline(() => queue.arm(deadline)));
  await expired;
});

Deno.test("an expiry that arms another does not hold up those behind it", async () => {
  const queue = new DeadlineQueue(100);
  const { deadline, expired } = awaitable();
  const again = new Deadline(() => {});
  const start = performance.now();
  queue.arm(new Deadline(() => queue.arm(again)));
  await new Promise((resolve) => setTimeout(resolve, 30));
  queue.arm(deadline);
  await expired;
  assert(performance.now() - start < 190);
  queue.clear();
});

Deno.test("a deadline that moves to another queue leaves the first", async () => {
  const [short, long] = [new DeadlineQueue(5), new DeadlineQueue(20)];
  const { deadline, expired } = awaitable();
  const start = performance.now();
  short.arm(deadline);
  long.arm(deadline);
  await expired;
  assert(performance.now() - start >= 20);
  short.clear();
});

Deno.test("a duration of 0 means never, and a cleared queue keeps no timer", () => {
  const never = new DeadlineQueue(0);
  const deadline = new Deadline(() => {
    throw new Error("expired");
  });
  never.arm(deadline);
  assert(!deadline.armed);
  const queue = new DeadlineQueue(60_000);
  queue.arm(deadline);
  queue.clear();
  assert(!deadline.armed);
});
