import { assert, assertEquals } from "@std/assert";
import { SLICE, Turns } from "../../lib/base/turns.ts";

/** Turns that come when the test says so. */
class Stage {
  /** How many turns were waited for. */
  waited = 0;
  #turn = Promise.withResolvers<void>();
  readonly turns: Turns = new Turns(() => {
    this.waited++;
    return this.#turn.promise;
  });

  /** Lets the turn that is waited for come, and whatever follows from it. */
  async turn(): Promise<void> {
    const { resolve } = this.#turn;
    this.#turn = Promise.withResolvers();
    resolve();
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let count = 0; count < 20; count++) await Promise.resolve();
}

/** Uses up a slice. */
function work(): void {
  const end = performance.now() + SLICE * 1.5;
  while (performance.now() < end);
}

/** Notes when a promise has resolved. */
function noting(promise: Promise<void> | null): { isDone: boolean } {
  const note = { isDone: promise === null };
  promise?.then(() => note.isDone = true);
  return note;
}

/** Gives light answers until one has to wait. Returns how many were given, and that wait. */
function answer(turns: Turns): [count: number, wait: { isDone: boolean }] {
  for (let count = 1; count < 10_000; count++) {
    const wait = turns.answered(1);
    if (wait !== null) return [count, noting(wait)];
  }
  throw new Error("no answer ever has to wait");
}

Deno.test("light answers wait for nothing, until there were many", async () => {
  const stage = new Stage();
  const [count, wait] = answer(stage.turns);
  assert(count >= 256, `${count} answers`);
  assertEquals([stage.waited, wait.isDone], [1, false]);
  await stage.turn();
  assert(wait.isDone);
  assertEquals(answer(stage.turns)[0], count);
});

Deno.test("a round ends once nobody else is ready: whoever was served waits until then", async () => {
  const stage = new Stage();
  const [, first] = answer(stage.turns);
  // As many as the runtime reads from at once were ready too.
  for (let turn = 0; turn < 3; turn++) {
    const others = Array.from({ length: 128 }, () => noting(stage.turns.answered(1)));
    await stage.turn();
    assert([first, ...others].every(({ isDone }) => !isDone), `turn ${turn}`);
  }
  const last = noting(stage.turns.answered(1));
  await stage.turn();
  assertEquals([first.isDone, last.isDone], [true, true]);
  assertEquals(stage.turns.answered(1), null);
});

Deno.test("an answer to many messages counts as several", () => {
  const stage = new Stage();
  const [count] = answer(new Stage().turns);
  assertEquals(stage.turns.answered(count - 1), null);
  assert(stage.turns.answered(1) !== null);
});

Deno.test("heavy work has one slice a turn, in the order in which it was asked for", async () => {
  const stage = new Stage();
  const { turns } = stage;
  assert(!turns.isSpent);
  work();
  assert(turns.isSpent);
  const order: number[] = [];
  for (let number = 0; number < 3; number++) {
    void turns.rest().then(() => {
      order.push(number);
      work();
    });
  }
  for (const expected of [[], [0], [0, 1], [0, 1, 2]]) {
    assertEquals(order, expected);
    await stage.turn();
  }
  assertEquals(stage.waited, 3);
});

Deno.test("heavy work that takes a moment shares a turn with others", async () => {
  const stage = new Stage();
  let done = 0;
  for (let number = 0; number < 10; number++) void stage.turns.rest().then(() => done++);
  await stage.turn();
  assertEquals(done, 10);
  assertEquals(stage.waited, 1);
});

Deno.test("heavy work that comes back goes behind what waits already", async () => {
  const stage = new Stage();
  const order: string[] = [];
  const run = async (name: string): Promise<void> => {
    for (let count = 0; count < 2; count++) {
      await stage.turns.rest();
      order.push(name);
      work();
    }
  };
  const running = [run("a"), run("b")];
  for (let turn = 0; turn < 5; turn++) await stage.turn();
  await Promise.all(running);
  assertEquals(order, ["a", "b", "a", "b"]);
});
