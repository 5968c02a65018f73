import { assertEquals } from "@std/assert";
import { Deadlines } from "../../lib/base/deadlines.ts";
import {
  expiredError,
  SessionTimers,
  type TimeLimits,
  timeoutError,
  type TimerName,
} from "../../lib/server/session_timers.ts";
import { VirtualTime } from "../support/virtual_time.ts";

const LIMITS: TimeLimits = { messageTimeout: 100, idleTimeout: 200, handshakeTimeout: 300 };

const NAMES: readonly TimerName[] = ["message", "idle", "heartbeat", "handshake", "settle", "linger"];

/** Timers on virtual time, and which of them have expired when. */
class Bench implements Disposable {
  readonly time = new VirtualTime();
  readonly timers: SessionTimers;
  readonly expired: [after: number, name: TimerName, duration: number][] = [];
  readonly #deadlines = new Deadlines();
  readonly #start = this.time.now;

  constructor(limits: Partial<TimeLimits> = {}) {
    const owner = {
      context: { ...LIMITS, ...limits, deadlines: this.#deadlines },
      onExpired: (name: TimerName, duration: number) => {
        this.expired.push([this.time.now - this.#start, name, duration]);
      },
    };
    this.timers = new SessionTimers(owner);
  }

  get armed(): TimerName[] {
    return NAMES.filter((name) => this.timers.isArmed(name));
  }

  [Symbol.dispose](): void {
    this.#deadlines.clear();
    this.time[Symbol.dispose]();
  }
}

Deno.test("each timer expires once, after its own time", async () => {
  using bench = new Bench();
  bench.timers.patience = 400;
  for (const name of NAMES) bench.timers.arm(name);
  assertEquals(bench.armed, NAMES);
  await bench.time.advance(10_000);
  assertEquals(bench.expired, [
    [100, "message", 100],
    [200, "idle", 200],
    [300, "handshake", 300],
    [400, "heartbeat", 400],
    [500, "settle", 500],
    [2_000, "linger", 2_000],
  ]);
  assertEquals(bench.armed, []);
});

Deno.test("a timer whose limit is 0 does not run", async () => {
  using bench = new Bench({ messageTimeout: 0, idleTimeout: 0, handshakeTimeout: 0 });
  for (const name of ["message", "idle", "heartbeat", "handshake"] as const) bench.timers.arm(name);
  assertEquals(bench.armed, []);
  await bench.time.advance(10_000);
  assertEquals(bench.expired, []);
});

Deno.test("arming a timer again starts it anew", async () => {
  using bench = new Bench();
  bench.timers.arm("message");
  await bench.time.advance(60);
  bench.timers.arm("message");
  await bench.time.advance(1_000);
  assertEquals(bench.expired, [[160, "message", 100]]);
});

Deno.test("a timer that has expired can be armed again", async () => {
  using bench = new Bench();
  bench.timers.arm("message");
  await bench.time.advance(100);
  bench.timers.arm("message");
  await bench.time.advance(100);
  assertEquals(bench.expired.map(([after]) => after), [100, 200]);
});

Deno.test("a disarmed timer does not expire, and one that never ran can be disarmed", async () => {
  using bench = new Bench();
  bench.timers.arm("message");
  bench.timers.disarm("message");
  bench.timers.disarm("linger");
  await bench.time.advance(10_000);
  assertEquals(bench.expired, []);
});

Deno.test("hearing a client starts the timers of its silence, and no other", async () => {
  using bench = new Bench();
  bench.timers.heard();
  assertEquals(bench.armed, ["idle"]);
  bench.timers.patience = 250;
  await bench.time.advance(150);
  bench.timers.heard();
  assertEquals(bench.armed, ["idle", "heartbeat"]);
  await bench.time.advance(1_000);
  assertEquals(bench.expired, [[350, "idle", 200], [400, "heartbeat", 250]]);
});

Deno.test("excusing a client stops the timers of its silence and its message, and no other", () => {
  using bench = new Bench();
  bench.timers.patience = 400;
  for (const name of NAMES) bench.timers.arm(name);
  bench.timers.excuse();
  assertEquals(bench.armed, ["handshake", "settle", "linger"]);
});

Deno.test("closing stops every timer but linger", () => {
  using bench = new Bench();
  bench.timers.patience = 400;
  for (const name of NAMES) bench.timers.arm(name);
  bench.timers.close();
  assertEquals(bench.armed, ["linger"]);
});

Deno.test("the error of each timer names what did not happen in time", () => {
  const reasons: Record<TimerName, string> = {
    message: "a message was not complete 7 ms after it began",
    idle: "nothing was heard for 7 ms",
    heartbeat: "nothing was heard for 7 ms, 2.5 times the heartbeat",
    handshake: "no Hello with a token came within 7 ms",
    settle: "nothing more came for 7 ms",
    linger: "the last reply was not taken within 7 ms",
  };
  for (const name of NAMES) {
    const { code, message } = expiredError(name, 7);
    assertEquals([code, message], ["TIMEOUT", `Cannot keep connection: ${reasons[name]}`]);
  }
  const { code, message } = timeoutError("it slept");
  assertEquals([code, message], ["TIMEOUT", "Cannot keep connection: it slept"]);
});

Deno.test("a timer runs by its present limit, and one that has none any more stops", async () => {
  using bench = new Bench();
  bench.timers.patience = 100;
  bench.timers.arm("heartbeat");
  bench.timers.patience = 200;
  bench.timers.arm("heartbeat");
  await bench.time.advance(1_000);
  assertEquals(bench.expired, [[200, "heartbeat", 200]]);
  bench.timers.arm("heartbeat");
  bench.timers.patience = 0;
  bench.timers.arm("heartbeat");
  assertEquals(bench.armed, []);
});
