import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Backoff, TrackerError } from "../../mod.ts";

const REFUSED = new TrackerError("CONNECTION_REFUSED", "Cannot connect: nothing listens there");

function ignoreSignal(waits: number[]): (milliseconds: number) => Promise<void> {
  return (milliseconds) => Promise.resolve(void waits.push(milliseconds));
}

Deno.test("wait is random up to a bound that doubles until it reaches the cap", async () => {
  const waits: number[] = [];
  const random = [0, 0.25, 0.999, 0.5, 1];
  const wait = ignoreSignal(waits);
  const backoff = new Backoff({ base: 100, cap: 500, random: () => random.shift() ?? 0, wait });
  for (let round = 0; round < 5; round++) await backoff.pause(REFUSED, new AbortController().signal);
  assertEquals(waits, [0, 50, 399.6, 250, 500]);
});

Deno.test("waits become short again only after a connection that lasted", async () => {
  const { signal } = new AbortController();
  const waits: number[] = [];
  const brief = new Backoff({ base: 100, cap: 60_000, random: () => 1, wait: ignoreSignal(waits) });
  for (let round = 0; round < 3; round++) {
    await brief.pause(REFUSED, signal);
    brief.opened();
  }
  assertEquals(waits.splice(0), [100, 200, 400]);

  const lasting = new Backoff({ base: 1, cap: 4, random: () => 1, wait: ignoreSignal(waits) });
  for (let round = 0; round < 4; round++) await lasting.pause(REFUSED, signal);
  lasting.opened();
  await new Promise((resolve) => setTimeout(resolve, 10));
  await lasting.pause(REFUSED, signal);
  assertEquals(waits, [1, 2, 4, 4, 1]);
});

Deno.test("count of failed attempts starts over after a success", async () => {
  const { signal } = new AbortController();
  const backoff = new Backoff({ base: 0, attempts: 2 });
  await backoff.pause(REFUSED, signal);
  await backoff.pause(REFUSED, signal);
  backoff.opened();
  await backoff.pause(REFUSED, signal);
  await backoff.pause(REFUSED, signal);
  assertEquals(await assertRejects(() => backoff.pause(REFUSED, signal), TrackerError), REFUSED);
});

Deno.test("permanent errors are not retried, and none without reconnect", async () => {
  const { signal } = new AbortController();
  const taken = new TrackerError("NAME_TAKEN", "Cannot take name");
  assertEquals(await assertRejects(() => new Backoff().pause(taken, signal), TrackerError), taken);
  assertEquals(await assertRejects(() => new Backoff(false).pause(REFUSED, signal), TrackerError), REFUSED);
});

Deno.test("a wait stays a number after any number of attempts", async () => {
  const { signal } = new AbortController();
  for (const base of [0, 1e-300, 1, Number.MAX_VALUE]) {
    const waits: number[] = [];
    const backoff = new Backoff({ base, cap: 8, random: () => 0.5, wait: ignoreSignal(waits) });
    for (let round = 0; round < 1_100; round++) await backoff.pause(REFUSED, signal);
    assert(waits.every((wait) => wait >= 0 && wait <= 4), `base ${base}`);
  }
});

Deno.test("a name that is taken is asked for again for a while, at short intervals, and a last time at the end", async () => {
  const { signal } = new AbortController();
  const waits: number[] = [];
  const wait = (milliseconds: number) => Promise.resolve(void waits.push(milliseconds));
  const backoff = new Backoff({ random: () => 0.5, wait }, { taken: 10_000 });
  const taken = new TrackerError("NAME_TAKEN", "Cannot take name");
  while (backoff.passes(taken)) await backoff.pause(taken, signal);
  assertEquals(waits.slice(0, 5), [500, 1_000, 2_000, 3_000, 3_000]);
  assertEquals(waits.reduce((sum, wait) => sum + wait, 0), 10_000);
  assertEquals(await assertRejects(() => backoff.pause(taken, signal), TrackerError), taken);
  backoff.opened();
  assert(backoff.passes(taken));
});

Deno.test("aborting ends a wait and leaves no timer", async () => {
  const controller = new AbortController();
  const waiting = assertRejects(() => new Backoff({ random: () => 1 }).pause(REFUSED, controller.signal), TrackerError);
  controller.abort();
  assertEquals((await waiting).code, "ABORTED");
  const aborted = assertRejects(() => new Backoff().pause(REFUSED, controller.signal), TrackerError);
  assertEquals(await aborted, REFUSED);
});

Deno.test("invalid options are refused", () => {
  for (const options of [{ base: -1 }, { cap: NaN }, { attempts: 0 }]) {
    assertEquals(assertThrows(() => new Backoff(options), TrackerError).code, "BAD_ARGUMENT");
  }
});
