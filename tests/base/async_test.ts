import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { delay, ignore, withTimeout } from "../../lib/base/async.ts";
import { runMeasurement } from "../support/heap.ts";
import { VirtualTime } from "../support/virtual_time.ts";

const onTimeout = () => new RangeError("too late");

/** Tells whether a promise has settled, once everything has happened that needs no time. */
async function isSettled(time: VirtualTime, promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await time.settle();
  return settled;
}

/** A signal that counts the listeners it has. */
class CountingSignal extends EventTarget {
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners++;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.listeners--;
    super.removeEventListener(...args);
  }

  static create(): AbortSignal & CountingSignal {
    return new CountingSignal() as unknown as AbortSignal & CountingSignal;
  }
}

Deno.test("delay resolves after its time, and not before", async () => {
  using time = new VirtualTime();
  const wait = delay(1_000);
  await time.advance(999);
  assert(!await isSettled(time, wait));
  await time.advance(1);
  await wait;
  assertEquals(time.running, 0);
});

Deno.test("delay resolves as soon as its signal is aborted, and leaves no timer", async () => {
  using time = new VirtualTime();
  const controller = new AbortController();
  const wait = delay(1_000, controller.signal);
  assertEquals(time.running, 1);
  controller.abort(new Error("a reason that delay ignores"));
  await wait;
  assertEquals(time.running, 0);
});

Deno.test("delay on an aborted signal resolves at once, without a timer", async () => {
  using time = new VirtualTime();
  const wait = delay(1_000, AbortSignal.abort());
  assertEquals(time.running, 0);
  await wait;
});

Deno.test("delay and withTimeout leave no listener on the signal", async () => {
  using time = new VirtualTime();
  const signal = CountingSignal.create();
  const waits = [
    delay(10, signal),
    withTimeout(Promise.resolve(), { timeout: 10, signal, onTimeout }),
    withTimeout(Promise.reject(new Error("broken")), { timeout: 10, signal, onTimeout }).catch(ignore),
    withTimeout(new Promise(ignore), { timeout: 10, signal, onTimeout }).catch(ignore),
  ];
  assertEquals(signal.listeners, waits.length);
  await time.advance(10);
  await Promise.all(waits);
  assertEquals([signal.listeners, time.running], [0, 0]);
});

Deno.test("withTimeout passes on what the promise settles with, and leaves no timer", async () => {
  using time = new VirtualTime();
  const { signal } = new AbortController();
  const error = new Error("broken");
  assertEquals(await withTimeout(Promise.resolve(7), { timeout: 1_000, signal, onTimeout }), 7);
  const rejected = withTimeout(Promise.reject(error), { timeout: 1_000, onTimeout });
  assertStrictEquals(await rejected.catch((thrown) => thrown), error);
  assertEquals(time.running, 0);
});

Deno.test("withTimeout rejects when the time is up, and a rejection after that is handled", async () => {
  using time = new VirtualTime();
  const { promise, reject } = Promise.withResolvers<void>();
  const bounded = withTimeout(promise, { timeout: 1_000, onTimeout });
  bounded.catch(ignore);
  await time.advance(999);
  assert(!await isSettled(time, bounded));
  await time.advance(1);
  await assertRejects(() => bounded, RangeError, "too late");
  reject(new Error("later still"));
  await time.settle();
});

Deno.test("withTimeout rejects with the signal's reason, or with the error made for it", async () => {
  using time = new VirtualTime();
  const controller = new AbortController();
  const { signal } = controller;
  const forever = new Promise<void>(ignore);
  const plain = withTimeout(forever, { timeout: 0, signal, onTimeout });
  const made = withTimeout(forever, { timeout: 1_000, signal, onTimeout, onAbort: () => new SyntaxError("made") });
  controller.abort(new TypeError("given"));
  await assertRejects(() => plain, TypeError, "given");
  await assertRejects(() => made, SyntaxError, "made");
  await assertRejects(() => withTimeout(forever, { timeout: 1_000, signal, onTimeout }), TypeError, "given");
  assertEquals(time.running, 0);
});

Deno.test("withTimeout without a limit or a signal is the promise itself", () => {
  const promise = Promise.resolve();
  assertStrictEquals(withTimeout(promise, { timeout: 0, onTimeout }), promise);
});

Deno.test("100,000 waits leave nothing on a signal that outlives them", async () => {
  const kept = await runMeasurement<Record<string, number>>(new URL("async_heap.ts", import.meta.url));
  for (const [name, bytes] of Object.entries(kept)) assertLess(bytes, 8, `${name} keeps ${bytes} bytes of heap a wait`);
  assertEquals(Object.keys(kept), ["delay", "withTimeout"]);
});
