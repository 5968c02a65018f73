/** Names under random claims, disconnects and late ends, against a plain model. */

import { assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { Registry } from "../../mod.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext } from "../../lib/server/context.ts";
import { textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { isEnd, Link } from "./link.ts";

const NAMES = ["ada", "ben"];

/** Seconds of grace. A tick is 0.6 s, so that no grace ends at the moment of a tick. */
const GRACES = [0, 1, 60];

const step = fc.record({
  act: fc.constantFrom(
    "hello",
    "hello",
    "hello",
    "open",
    "update",
    "update",
    "close",
    "vanish",
    "crash",
    "late",
    "put",
    "put",
    "drop",
    "tick",
  ),
  who: fc.nat(5),
  name: fc.constantFrom(...NAMES),
  grace: fc.constantFrom(...GRACES),
  right: fc.constantFrom("none", "none", "takeover", "key", "old key"),
  instance: fc.constantFrom(undefined, "i", "j"),
  attempt: fc.nat(3),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A name in the model. */
interface Holding {
  /** The connection that holds it; `null` while the entry is suspect. */
  holder: Link | null;
  grace: number;
  key: string;
  instance: string | undefined;
  attempt: number;
  state: string | null;
  /** Whether it was set without a connection, and when that was issued. */
  isDetached?: boolean;
  issued?: number | null;
  /** When the grace ends. */
  until: number;
}

/** What a Hello or a Put asks for. */
type Hello = Omit<Step, "act" | "who" | "name">;

function statusOf({ holder, isDetached }: Pick<Holding, "holder" | "isDetached">): string {
  return holder !== null ? "live" : isDetached ? "detached" : "suspect";
}

class World {
  readonly registry = new Registry();
  readonly #context = createSessionContext(this.registry, LIMITS);
  readonly #time: VirtualTime;
  readonly #model = new Map<string, Holding>();
  readonly #keys = new Map<string, string[]>(NAMES.map((name) => [name, ["none"]]));
  readonly #clients = new Map<number, { link: Link; name: string }>();
  /** Connections whose names were taken over, and whose clients have not noticed. */
  readonly #late: Link[] = [];
  readonly #sessions: { session: Session; ended: Promise<void> }[] = [];
  #states = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  async step({ act, who, name, ...hello }: Step): Promise<void> {
    const client = this.#clients.get(who);
    if (act === "tick") await this.#time.advance(600);
    else if (act === "late") this.#late.shift()?.cut(hello.grace === 0);
    else if (act === "put" || act === "drop") await this.#set(act, name, hello);
    else if (act === "hello") await this.#greet(who, name, hello);
    else if (client !== undefined) await this.#act(act, who, client.link, client.name);
    await this.#time.settle();
    this.#expire();
    this.#check();
  }

  async end(): Promise<void> {
    for (const { session, ended } of this.#sessions) {
      session.abort();
      await ended;
    }
    closeSessionContext(this.#context);
    assertEquals(this.registry.size, 0);
  }

  async #greet(who: number, name: string, hello: Hello): Promise<void> {
    const { grace, right, instance, attempt } = hello;
    if (this.#clients.has(who)) return;
    const held = this.#model.get(name);
    const resume = right === "key" ? held?.key : right === "old key" ? this.#keys.get(name)?.[0] : undefined;
    const takeover = right === "takeover";
    const link = this.#connect();
    link.request(4, { name, grace, resume, takeover, instance, attempt });
    const isSame = held?.instance !== undefined && instance === held.instance;
    const isLate = isSame && attempt <= held!.attempt;
    const knowsKey = held !== undefined && !held.isDetached && (isSame || resume === held.key);
    const isGranted = !isLate && (held === undefined || held.holder === null || knowsKey || takeover);
    const key = await this.#readKey(link, isLate ? "SUPERSEDED" : "NAME_TAKEN");
    assertEquals(key !== null, isGranted, `${name}: ${link.refusal}`);
    if (key === null) return link.cut(false);
    assertEquals(
      key === held?.key,
      knowsKey,
      "the key is kept if and only if the client has shown that it is the same",
    );
    this.#keys.get(name)?.push(key);
    const state = held === undefined || (held.holder !== null && !knowsKey) ? null : held.state;
    this.#supersede(held?.holder ?? null);
    this.#model.set(name, { holder: link, grace, key, instance, attempt, state, until: 0 });
    this.#clients.set(who, { link, name });
  }

  /** Sets a name's entry without a connection, or removes it. */
  async #set(act: "put" | "drop", name: string, { right, grace, attempt }: Hello): Promise<void> {
    const held = this.#model.get(name);
    const takeover = right === "takeover";
    // The later of two attempts was issued later.
    const issued = grace === 0 ? undefined : Date.now() + attempt - 1_000;
    const isLate = act === "put" && issued !== undefined && issued < (held?.issued ?? -Infinity);
    const isHeld = held !== undefined && held.holder !== null && !takeover;
    const link = this.#connect();
    link.request(4, {});
    await link.readDone();
    await link.readPayload();
    const state = `${++this.#states}`;
    if (act === "put") link.put({ name, for: 60, takeover, issued }, state);
    else link.request(10, { name, takeover });
    const refusal = isHeld ? "NAME_TAKEN" : isLate ? "SUPERSEDED" : null;
    const was = await this.#readAnswer(link, refusal);
    link.cut(false);
    if (was === null) return;
    if (act === "drop") assertEquals(was, { was: held !== undefined && held.state !== null });
    this.#supersede(held?.holder ?? null);
    if (act === "drop") return void this.#model.delete(name);
    const until = this.#time.now + 60_000;
    const entry = { holder: null, grace: 60, key: "", instance: undefined, attempt: 0, state, until };
    this.#model.set(name, { ...entry, isDetached: true, issued: issued ?? null });
  }

  async #readAnswer(link: Link, refusal: string | null): Promise<unknown> {
    try {
      await link.readDone();
      return JSON.parse(textOf(await link.readPayload() ?? new Uint8Array()));
    } catch (error) {
      if (!isEnd(error)) throw error;
      assertEquals(link.refusal, refusal);
      return null;
    }
  }

  /** The key in the greeting; `null` if the Hello was refused. */
  async #readKey(link: Link, refusal: string): Promise<string | null> {
    try {
      await link.readDone();
      return JSON.parse(textOf(await link.readPayload() ?? new Uint8Array())).resume;
    } catch (error) {
      if (!isEnd(error)) throw error;
      assertEquals(link.refusal, refusal);
      return null;
    }
  }

  #supersede(link: Link | null): void {
    for (const [who, client] of this.#clients) {
      if (client.link === link) this.#clients.delete(who);
    }
    if (link !== null) this.#late.push(link);
  }

  async #act(act: Step["act"], who: number, link: Link, name: string): Promise<void> {
    const held = this.#model.get(name)!;
    if (act === "open" || act === "update") {
      held.state = `${++this.#states}`;
      link.message(act === "open" ? 0 : 2, held.state);
      if (act === "open") await link.readDone();
      return;
    }
    if (act === "close") {
      link.send(42, 1);
      await link.readDone();
    }
    link.cut(act === "crash");
    this.#clients.delete(who);
    if (act === "close" || held.state === null || held.grace === 0) this.#model.delete(name);
    else Object.assign(held, { holder: null, until: this.#time.now + held.grace * 1_000 });
  }

  #expire(): void {
    for (const [name, { holder, until }] of this.#model) {
      if (holder === null && until <= this.#time.now) this.#model.delete(name);
    }
  }

  #check(): void {
    const there = [...this.registry.entries()].map(({ id, status, state }) => `${id} ${status} ${textOf(state)}`);
    const expected = [...this.#model].filter(([, { state }]) => state !== null)
      .map(([name, { state, ...holding }]) => `${name} ${statusOf(holding)} ${state}`);
    assertEquals(there.sort(), expected.sort());
  }

  #connect(): Link {
    const [near, far] = createPair(this.#sessions.length);
    const session = new Session(far, this.#context);
    this.#sessions.push({ session, ended: session.run() });
    return new Link(near);
  }
}

Deno.test("name has one holder, and the late end of an earlier one does not affect it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: "max" }), async (steps) => {
      using time = new VirtualTime();
      const world = new World(time);
      try {
        for (const each of steps) await world.step(each);
      } finally {
        await world.end();
      }
      assertEquals(time.running, 0);
    }),
    { numRuns: 150 },
  );
});
