import { assert, assertEquals, assertLess } from "@std/assert";
import { brief, drain, dropLeaves, LONG, Stage, take } from "./stage.ts";

Deno.test("snapshot continues where it was after clients joined, left and changed", () => {
  using stage = new Stage();
  const { registry } = stage;
  const [one, two, three, four] = ["1", "2", "3", "4"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  assertEquals(brief(take(watcher)), ["0 snapshot", "1 present client1 1xxxxx", "2 present client2 2xxxxx"]);
  registry.close(two!);
  registry.close(three!);
  registry.update(one!, "one");
  registry.update(four!, "four");
  registry.open("five");
  assertEquals(brief(drain(watcher)), [
    "5 leave client2",
    "6 leave client3",
    "7 present client1 one",
    "8 present client4 four",
    "9 present client5 five",
    "9 synced",
  ]);
});

Deno.test("watcher stuck in its snapshot keeps no entries that come and go meanwhile", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const state = new Uint8Array(65_536);
  let entries = Array.from({ length: 100 }, () => registry.open(state));
  const watcher = stage.watch();
  assertEquals(brief(take(watcher)).length, 2);
  const before = Deno.memoryUsage().external;
  const grown = () => Deno.memoryUsage().external - before;
  let turns = 0;
  // In 80 turns 500 MiB come and go. The runtime collects them when it likes, unless something keeps them.
  for (; turns < 80 || (turns < 160 && grown() > 250 * 2 ** 20); turns++) {
    entries = entries.map((entry) => {
      registry.close(entry);
      return registry.open(state);
    });
    await stage.time.settle();
  }
  assertLess(grown(), 250 * 2 ** 20);
  const events = drain(watcher);
  // Each leave, the clients that are there now, and the end.
  assertEquals(events.length, turns * 100 + 100 + 1);
  assertEquals(events.at(-1)?.kind, "synced");
});

Deno.test("watcher that resumes learns that a new client is suspect", () => {
  using stage = new Stage();
  const { registry } = stage;
  const entry = registry.open("1");
  registry.mark(entry, "suspect");
  registry.update(entry, "2");
  const watcher = stage.watch({ since: { incarnation: "i", revision: 0 } });
  assertEquals(brief(drain(watcher)), ["1 join client1 2", "3 suspect client1", "3 synced"]);
});

Deno.test("watcher cut off while it catches up is told every join exactly once", () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["a", "b", "c"].map((state) => registry.open(state));
  for (const entry of entries) registry.update(entry, LONG);
  const since = { incarnation: "i", revision: 0 };
  const first = take(stage.watch({ since }));
  const rest = drain(stage.watch({ since: { incarnation: "i", revision: first.at(-1)!.revision } }));
  const told = [...first, ...rest].filter((event) => event.kind === "join");
  assertEquals(told.map(({ id }) => id), ["client1", "client2", "client3"]);
});

Deno.test("watch cut off while it catches up learns a status that its client's next change has moved to the end", () => {
  using stage = new Stage();
  const { registry } = stage;
  const [first, other] = ["a", "b"].map((id) => registry.open("", { id }));
  const revision = registry.revision;
  registry.mark(other!, "suspect");
  registry.update(first!, LONG + LONG);
  registry.update(other!, LONG);
  const told = take(stage.watch({ since: { incarnation: "i", revision } }));
  assertEquals(brief(told), ["4 update a xxxxxx"]);
  const rest = drain(stage.watch({ since: { incarnation: "i", revision: 4 } }));
  assertEquals(brief(rest), ["5 update b xxxxxx", "5 suspect b", "5 synced"]);
});

Deno.test("watcher that ends while frames are prepared for it takes those, and then nothing", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = Array.from({ length: 200 }, () => registry.open(LONG));
  const watcher = stage.watch();
  let isPreparing = false;
  for (let turn = 0; !isPreparing; turn++) {
    assert(turn < 2_000, "nothing is prepared");
    const frame = watcher.next()!;
    // An empty frame says that the rest is prepared in a later turn.
    isPreparing = frame.length === 0;
    if (turn % 60 === 0) { for (const entry of entries) registry.update(entry, `${turn}${LONG}`); }
  }
  watcher.endFrames();
  const frames = [];
  while (watcher.hasNews) {
    frames.push(watcher.next());
    assert(frames.length < 200, "it has news for ever");
  }
  assert(frames.every((frame) => frame !== null && frame.length !== 0));
  await stage.time.advance(20);
});

Deno.test("watcher.revision is what has been told, and a watch resumes from it", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["1", "2", "3", "4"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  while (!take(watcher).some(({ kind }) => kind === "synced")) assertEquals(watcher.revision, 0);
  assertEquals(watcher.revision, 4);
  watcher.close();
  for (const entry of entries) registry.update(entry, `5${LONG}`);
  const again = stage.watch({ since: { incarnation: "i", revision: 4 } });
  assertEquals(brief(take(again)), ["5 update client1 5xxxxx", "6 update client2 5xxxxx"]);
  assertEquals(again.revision, 6);
  // A watch that resumes from there gets the rest.
  assertEquals(brief(drain(stage.watch({ since: { incarnation: "i", revision: again.revision } }))).slice(0, 2), [
    "7 update client3 5xxxxx",
    "8 update client4 5xxxxx",
  ]);
  drain(again);
  assertEquals(again.revision, 8);
  await stage.time.advance(20);
});

Deno.test("watcher.revision never decreases", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const watcher = stage.watch({ prefix: "ada" });
  const said: number[] = [];
  const ada = registry.open("1", { id: "ada" });
  drain(watcher);
  for (const act of [() => registry.open("2"), () => registry.update(ada, "3"), () => registry.open("4")]) {
    act();
    said.push(watcher.revision);
    await stage.time.advance(20);
    said.push(watcher.revision);
    drain(watcher);
  }
  assertEquals(said, [2, 2, 2, 2, 4, 4]);
});

Deno.test("watcher is lost when tombstones it still needs are dropped", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["a", "b", "c"].map((state) => registry.open(state + LONG));
  const watcher = stage.watch();
  drain(watcher);
  for (let i = 0; i < 10; i++) for (const entry of entries) registry.update(entry, `${i} ${LONG}`);
  await stage.time.advance(20);
  take(watcher);
  registry.close(entries[0]!);
  dropLeaves(registry);
  await stage.time.advance(20);
  const events = drain(watcher);
  const isTold = events.some((event) => event.kind === "leave" && event.id === "client1");
  assert(isTold || watcher.isLost, "client1 left, and the watcher will never know");
});

Deno.test("watcher is told a leave between two rounds of catching up, or is lost", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = ["1", "2", "3", "4"].map((name) => registry.open(LONG, { id: `quiet:${name}` }));
  const watcher = stage.watch({ prefix: "quiet:" });
  const rounds = () => {
    for (const entry of entries) registry.update(entry, LONG);
  };
  take(watcher);
  rounds();
  // The rest of the snapshot, then half of a round that the map overtakes before its end.
  for (let frames = 0; frames < 2; frames++) take(watcher);
  rounds();
  assert(!take(watcher).some(({ kind }) => kind === "synced"));
  registry.close(entries[0]!);
  dropLeaves(registry);
  await stage.time.advance(20);
  const events = drain(watcher);
  const isTold = events.some((event) => event.kind === "leave" && event.id === "quiet:1");
  assert(isTold || watcher.isLost, "quiet:1 left, and the watcher will never know");
});

Deno.test("watcher.pendingBytes searches the changes only if the answer may be above the limit, and then not far", async () => {
  using stage = new Stage();
  const { registry } = stage;
  const entries = Array.from({ length: 10 }, () => registry.open(LONG));
  let looked = 0;
  const { changes } = registry;
  const after = changes.after.bind(changes);
  changes.after = (link) => {
    looked++;
    return after(link);
  };
  const watcher = stage.watch();
  watcher.next();
  const exact = watcher.pendingBytes(10 * LONG.length);
  assert(exact > 8 * LONG.length && exact < 10 * LONG.length, `${exact}`);
  looked = 0;
  assert(watcher.pendingBytes(12 * LONG.length) <= 12 * LONG.length);
  assertEquals(looked, 0);
  for (let i = 0; i < 3; i++) registry.update(entries[9]!, LONG);
  // By now it could be more than that, but it is not.
  assert(watcher.pendingBytes(10 * LONG.length) < 10 * LONG.length);
  assert(looked > 8, `${looked}`);
  looked = 0;
  assert(watcher.pendingBytes(2 * LONG.length) > 2 * LONG.length);
  assert(looked <= 4, `${looked}`);
  await stage.time.advance(20);
});
