import { assert, assertEquals, assertThrows } from "@std/assert";
import { type LeaveCause, Registry, TrackerError } from "../../mod.ts";
import { Deadlines } from "../../lib/base/deadlines.ts";
import { Names } from "../../lib/map/names.ts";
import { Counters } from "../../lib/server/counters.ts";
import type { SessionEvent } from "../../lib/server/events.ts";
import { Presence, type PresenceContext, type PresenceOwner } from "../../lib/server/presence.ts";
import { bytesOf, textOf } from "../support/bytes.ts";
import { VirtualTime } from "../support/virtual_time.ts";

/** A session without a connection. */
class Owner implements PresenceOwner {
  isOpen = true;
  readonly peer = { transport: "tcp", hostname: "memory", port: 0 } as const;
  /** What is reported once the connection has ended comes the same way. */
  readonly observer = { onEvent: (_peer: unknown, event: SessionEvent): void => this.report(event) };
  readonly timers = { silence: null };
  readonly dialect = "wide";
  readonly grant = null;
  readonly errors: string[] = [];
  readonly events: string[] = [];
  readonly context: PresenceContext;
  readonly presence: Presence;

  constructor(context: PresenceContext) {
    this.context = context;
    this.presence = new Presence(this);
  }

  close(error: TrackerError): void {
    this.isOpen = false;
    this.errors.push(error.code);
  }

  report(event: SessionEvent): void {
    this.events.push("cause" in event ? `${event.kind} ${event.cause}` : event.kind);
  }

  setState(state: string): void {
    this.presence.setState(bytesOf(state), 0, state.length);
  }

  leave(cause: LeaveCause, silence = 0): void {
    this.presence.leave(cause, silence);
  }
}

/** What the sessions of one server share, on virtual time. */
class Bench implements Disposable {
  readonly time = new VirtualTime();
  readonly registry = new Registry();
  readonly counters = new Counters();
  readonly #deadlines = new Deadlines();
  readonly names: Names = new Names(this.registry, this.#deadlines, 1);
  readonly maxTotalState: number;

  constructor(maxTotalState = 1_000) {
    this.maxTotalState = maxTotalState;
  }

  get map(): string {
    return textOf(this.registry.flatten());
  }

  /** How many ghosts were counted, and their time together in milliseconds. */
  get ghosts(): [count: number, sum: number] {
    const { count, sum } = this.counters.counted.ghost;
    return [count, sum];
  }

  join(): Owner {
    return new Owner(this);
  }

  /** A session with a name. */
  claim(name: string, options = {}): Owner {
    const owner = this.join();
    owner.presence.claimName(name, options);
    return owner;
  }

  [Symbol.dispose](): void {
    this.names.clear();
    this.#deadlines.clear();
    this.time[Symbol.dispose]();
  }
}

Deno.test("the first state enters the client in the map, and later ones replace it", () => {
  using bench = new Bench();
  const owner = bench.join();
  owner.setState("one");
  owner.setState("two");
  assertEquals(bench.map, "{client1=two}");
  assertEquals(owner.events, ["join"]);
});

Deno.test("a state is taken from its part of the bytes", () => {
  using bench = new Bench();
  const { presence } = bench.join();
  const bytes = bytesOf("..one..two.");
  presence.setState(bytes, 2, 5);
  assertEquals(bench.map, "{client1=one}");
  presence.setState(bytes, 7, 10);
  assertEquals(bench.map, "{client1=two}");
});

Deno.test("a client whose entry the program has closed enters the map again", () => {
  using bench = new Bench();
  const owner = bench.join();
  owner.setState("one");
  bench.registry.close(bench.registry.get("client1")!);
  owner.setState("two");
  assertEquals(bench.map, "{client2=two}");
  assertEquals(bench.map, "{client2=two}");
});

Deno.test("a state beyond maxTotalState is refused, and the map stays as it was", () => {
  using bench = new Bench(10);
  const [one, other] = [bench.join(), bench.join()];
  one.setState("12345");
  other.setState("12345");
  for (const refused of [() => one.setState("123456"), () => bench.join().setState("x")]) {
    const { code, message } = assertThrows(refused, TrackerError);
    const why = "all states together would be above the limit of 10 bytes";
    assertEquals([code, message], ["TOO_MUCH_STATE", `Cannot take state: ${why}`]);
  }
  assertEquals(bench.map, "{client1=12345, client2=12345}");
  one.setState("abcde");
  one.setState("1");
  other.setState("123456789");
  assertEquals(bench.map, "{client1=1, client2=123456789}");
});

Deno.test("an entry that the program has closed makes no room for a state", () => {
  using bench = new Bench(10);
  const owner = bench.join();
  owner.setState("12345678");
  bench.registry.close(bench.registry.get("client1")!);
  bench.registry.open("12345678");
  assertEquals(assertThrows(() => owner.setState("12345678"), TrackerError).code, "TOO_MUCH_STATE");
});

Deno.test("a state that shrinks is taken even if the program has filled the map beyond maxTotalState", () => {
  using bench = new Bench(10);
  const owner = bench.join();
  owner.setState("12345");
  bench.registry.open("x".repeat(20));
  owner.setState("1234");
  assertEquals(assertThrows(() => owner.setState("12345"), TrackerError).code, "TOO_MUCH_STATE");
});

Deno.test("a session that a listener ends during its join leaves nothing in the map", () => {
  using bench = new Bench();
  const owner = bench.join();
  bench.registry.subscribe(() => owner.isOpen = false);
  owner.setState("one");
  assertEquals(bench.map, "{}");
});

Deno.test("a named client enters the map under its name", () => {
  using bench = new Bench();
  const owner = bench.claim("ada");
  assertEquals([owner.presence.claim?.name, bench.map], ["ada", "{}"]);
  owner.setState("here");
  assertEquals(bench.map, "{ada=here}");
});

Deno.test("a name that another session holds is refused", () => {
  using bench = new Bench();
  const owner = bench.claim("ada");
  assertEquals(assertThrows(() => bench.claim("ada"), TrackerError).code, "NAME_TAKEN");
  owner.leave("close");
  bench.claim("ada");
});

Deno.test("a named client is refused while the program has an entry of its name", () => {
  using bench = new Bench();
  const owner = bench.claim("ada");
  bench.registry.open("mine", { id: "ada" });
  assertEquals(assertThrows(() => owner.setState("x"), TrackerError).code, "NAME_TAKEN");
  assertEquals(bench.map, "{ada=mine}");
});

Deno.test("a client whose name is taken over leaves, and its session is closed", () => {
  using bench = new Bench();
  const old = bench.claim("ada");
  old.setState("old");
  const young = bench.claim("ada", { takeover: true });
  assertEquals([old.errors, old.events, bench.map], [["TAKEN_OVER"], ["join", "leave takeover"], "{}"]);
  young.setState("young");
  old.leave("error");
  assertEquals([old.presence.claim, bench.map, bench.ghosts], [null, "{ada=young}", [0, 0]]);
});

Deno.test("a client that returns with its key keeps its entry", () => {
  using bench = new Bench();
  const old = bench.claim("ada");
  old.setState("state");
  const { key } = old.presence.claim!;
  const back = bench.claim("ada", { resume: key });
  assertEquals([old.errors, old.events, back.presence.claim?.key], [["TAKEN_OVER"], ["join"], key]);
  back.setState("news");
  assertEquals(bench.map, "{ada=news}");
});

Deno.test("a claim by a session that has ended meanwhile leaves the name free", () => {
  using bench = new Bench();
  const owner = bench.join();
  owner.isOpen = false;
  owner.presence.claimName("ada", {});
  assertEquals(owner.presence.claim, null);
  bench.claim("ada");
});

Deno.test("a client leaves once, with its first cause", () => {
  using bench = new Bench();
  const owner = bench.join();
  owner.setState("x");
  owner.leave("close");
  owner.leave("disconnect");
  assertEquals([owner.events, bench.map], [["join", "leave close"], "{}"]);
});

Deno.test("a client that was never in the map leaves without an event", () => {
  using bench = new Bench();
  for (const owner of [bench.join(), bench.claim("ada")]) {
    owner.leave("disconnect");
    assertEquals(owner.events, []);
  }
  assertEquals(bench.ghosts, [0, 0]);
});

Deno.test("with grace, a client stays in the map until it returns or its time is up", async () => {
  using bench = new Bench();
  const first = bench.claim("ada", { grace: 60 });
  first.setState("x");
  first.leave("disconnect");
  await bench.time.advance(50_000);
  const second = bench.claim("ada", { grace: 60 });
  second.leave("timeout");
  await bench.time.advance(59_999);
  assertEquals(bench.map, "{ada=x}");
  await bench.time.advance(1);
  assertEquals(bench.map, "{}");
  assertEquals([first.events, second.events], [["join", "suspect disconnect"], [
    "resume",
    "suspect timeout",
    "leave timeout",
  ]]);
});

Deno.test("only clients that leave by a lost connection or a timeout are ghosts", () => {
  using bench = new Bench();
  const causes: [LeaveCause, boolean][] = [
    ["close", false],
    ["disconnect", true],
    ["timeout", true],
    ["error", false],
    ["shutdown", false],
    ["takeover", false],
    ["kicked", false],
  ];
  for (const [cause, isGhost] of causes) {
    const before = bench.ghosts[0];
    const owner = bench.join();
    owner.setState("x");
    owner.leave(cause);
    assertEquals(bench.ghosts[0] - before, isGhost ? 1 : 0, cause);
  }
});

Deno.test("ghost time includes the silence before the leave", () => {
  using bench = new Bench();
  const owner = bench.join();
  owner.setState("x");
  owner.leave("timeout", 700);
  assertEquals(bench.ghosts, [1, 700]);
});

Deno.test("ghost time runs through the grace, from the first leave, and is counted once", async () => {
  using bench = new Bench();
  const owner = bench.claim("ada", { grace: 2 });
  owner.setState("x");
  owner.leave("timeout", 500);
  assertEquals(bench.ghosts, [0, 0]);
  await bench.time.advance(1_000);
  owner.leave("disconnect");
  await bench.time.advance(10_000);
  assertEquals(bench.ghosts, [1, 2_500]);
  assert(!owner.events.includes("leave disconnect"));
});

Deno.test("a ghost whose return is interrupted is counted from that moment on", async () => {
  using bench = new Bench();
  const first = bench.claim("pi", { grace: 60 });
  first.setState("on");
  first.leave("disconnect");
  await bench.time.advance(30_000);
  const second = bench.join();
  bench.registry.subscribe(({ kind }) => {
    if (kind === "resume") second.isOpen = false;
  });
  second.presence.claimName("pi", {});
  assertEquals(bench.map, "{}");
  assertEquals(bench.ghosts, [1, 0]);
});
