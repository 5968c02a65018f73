import { assert, assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { Deadline, Deadlines } from "../../lib/base/deadlines.ts";
import { VirtualTime } from "../support/virtual_time.ts";

/** A deadline that can be waited for. */
function awaitable(): { deadline: Deadline; expired: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { deadline: new Deadline(resolve), expired: promise };
}

/** Keeps the program from doing anything else for a while. */
function standStill(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

Deno.test("a deadline expires once, not before its time", async () => {
  const deadlines = new Deadlines();
  const { deadline, expired } = awaitable();
  const start = performance.now();
  deadlines.arm(deadline, 20);
  assert(deadline.armed);
  await expired;
  assert(performance.now() - start >= 20);
  assert(!deadline.armed);
});

Deno.test("a disarmed deadline does not expire, and does not hold up the others", async () => {
  const deadlines = new Deadlines();
  let wrong = 0;
  const disarmed = Array.from({ length: 5 }, () => new Deadline(() => wrong++));
  const { deadline, expired } = awaitable();
  for (const [index, other] of disarmed.entries()) deadlines.arm(other, 8 + index);
  deadlines.arm(deadline, 10);
  for (const other of disarmed) other.disarm();
  disarmed[0]?.disarm();
  await expired;
  assertEquals(wrong, 0);
});

Deno.test("arming anew begins anew, for a shorter or a longer time", async () => {
  const deadlines = new Deadlines();
  const order: string[] = [];
  const done = Promise.withResolvers<void>();
  const postponed = new Deadline(() => {
    order.push("postponed");
    done.resolve();
  });
  const advanced = new Deadline(() => order.push("advanced"));
  deadlines.arm(postponed, 5);
  deadlines.arm(advanced, 60_000);
  deadlines.arm(new Deadline(() => order.push("between")), 25);
  deadlines.arm(postponed, 40);
  deadlines.arm(advanced, 10);
  await done.promise;
  assertEquals(order, ["advanced", "between", "postponed"]);
});

Deno.test("a deadline armed while another expires is kept", async () => {
  const deadlines = new Deadlines();
  const { deadline, expired } = awaitable();
  deadlines.arm(new Deadline(() => deadlines.arm(deadline, 5)), 5);
  await expired;
});

Deno.test("a stall is added to every deadline, also to those that were far off", async () => {
  const deadlines = new Deadlines();
  const order: string[] = [];
  const heard = new Deadline(() => order.push("given up"));
  const { deadline, expired } = awaitable();
  const start = performance.now();
  deadlines.arm(heard, 300);
  deadlines.arm(deadline, 700);
  await new Promise((resolve) => setTimeout(resolve, 0));
  standStill(600);
  // What came in during the stall is read in the turn after it.
  await new Promise((resolve) => setTimeout(resolve, 0));
  deadlines.arm(heard, 60_000);
  await expired;
  assertEquals(order, []);
  assert(performance.now() - start >= 1_000, "the stall of 600 ms was not added to the 700");
  deadlines.clear();
});

Deno.test("a duration of 0 means never, and cleared deadlines keep no timer", () => {
  const deadlines = new Deadlines();
  const deadline = new Deadline(() => {
    throw new Error("expired");
  });
  deadlines.arm(deadline, 0);
  assert(!deadline.armed);
  deadlines.arm(deadline, 60_000);
  deadlines.clear();
  assert(!deadline.armed);
});

Deno.test("deadlines: armed, postponed and disarmed at random, they expire in order", async () => {
  const step = fc.record({ which: fc.nat(19), wait: fc.integer({ min: 0, max: 12 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const deadlines = new Deadlines();
      const due = new Map<Deadline, number>();
      const expired: number[] = [];
      const all = Array.from({ length: 20 }, () => {
        const deadline: Deadline = new Deadline(() => {
          expired.push(due.get(deadline)!);
          due.delete(deadline);
        });
        return deadline;
      });
      for (const { which, wait } of steps) {
        deadlines.arm(all[which]!, wait);
        if (wait === 0) due.delete(all[which]!);
        else due.set(all[which]!, all[which]!.due);
      }
      const expected = [...due.values()].sort((one, other) => one - other);
      const last = awaitable();
      deadlines.arm(last.deadline, 20);
      await last.expired;
      assertEquals(expired, expected);
    }),
    { numRuns: 30 },
  );
});

Deno.test("whoever makes the program stall again and again does not keep the dead alive for long", async () => {
  using time = new VirtualTime();
  const deadlines = new Deadlines();
  const { deadline } = awaitable();
  deadlines.arm(deadline, 10_000);
  const start = time.now;
  while (deadline.armed && time.now - start < 150_000) {
    time.stall(5_000);
    await time.advance(1);
  }
  const took = time.now - start;
  // A minute at once, and a tenth of all time.
  assert(took > 65_000 && took < 90_000, `${took} ms`);
});

Deno.test("after a stall that cannot be excused, what has arrived is heard before anything expires", async () => {
  using time = new VirtualTime();
  const deadlines = new Deadlines();
  let expired = 0;
  const heard = new Deadline(() => expired++);
  const silent = new Deadline(() => expired++);
  for (const deadline of [heard, silent]) deadlines.arm(deadline, 1_000);
  time.stall(120_000);
  await time.advance(1);
  assertEquals(expired, 0);
  deadlines.arm(heard, 1_000);
  await time.advance(500);
  assertEquals([heard.armed, silent.armed, expired], [true, false, 1]);
  deadlines.clear();
});

Deno.test("very many deadlines that fall due together leave others their turn in between", async () => {
  const deadlines = new Deadlines();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let left = 64;
  let turns = 0;
  for (let count = 0; count < 64; count++) {
    deadlines.arm(
      new Deadline(() => {
        standStill(1);
        if (--left === 0) resolve();
      }),
      5,
    );
  }
  const timer = setInterval(() => turns++, 1);
  await over;
  clearInterval(timer);
  assert(turns >= 2, `${turns} turns for 64 ms of work`);
});
