import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "../../lib/cli/std.ts";
import { type Change, type Entry, MAX_IDENTIFIER, Registry, TrackerError } from "../../mod.ts";
import { decodeList, ListWriter } from "../../lib/wire/mod.ts";
import fc from "../support/packages/fast_check.ts";
import { AWKWARD_STATES } from "../fixtures/conversations.ts";
import { bytesOf, textOf } from "../support/bytes.ts";

const map = (registry: Registry) => textOf(registry.flatten());

Deno.test("registry flattens a map byte for byte", () => {
  const registry = new Registry();
  for (const [id = "", state = ""] of ["ab", "cd", "ef"]) registry.open(state, { id });
  assertEquals(
    registry.flatten(),
    Uint8Array.from([123, 97, 61, 98, 44, 32, 99, 61, 100, 44, 32, 101, 61, 102, 125]),
  );
});

Deno.test("registry flattens to {} without clients", () => {
  const registry = new Registry();
  assertEquals(map(registry), "{}");
  registry.close(registry.open("x"));
  assertEquals(map(registry), "{}");
});

Deno.test("registry numbers clients and never reuses a number", () => {
  const registry = new Registry();
  registry.close(registry.open("a"));
  assertEquals(registry.open("b").id, "client2");
  assertEquals(map(registry), "{client2=b}");
});

Deno.test("registry refuses an identifier too long for an event", () => {
  const registry = new Registry();
  const longest = "é".repeat(MAX_IDENTIFIER / 2);
  assertEquals(decodeListOf(registry.open("x", { id: `${longest}-` })), [`${longest}-`]);
  const error = assertThrows(() => registry.open("x", { id: `${longest}é` }), TrackerError, "65536 bytes");
  assertEquals([error.code, registry.size], ["BAD_ARGUMENT", 1]);
});

function decodeListOf(entry: Entry): string[] {
  const writer = new ListWriter();
  writer.begin(1);
  writer.record(entry);
  return decodeList(writer.finish().subarray(8)).records.map(({ id }) => id);
}

Deno.test("registry refuses an identifier that is open or has the form of a numbered one", () => {
  const registry = new Registry();
  registry.open("x", { id: "ada" });
  for (const id of ["ada", "client1", "client99"]) {
    const error = assertThrows(() => registry.open("y", { id }), TrackerError);
    assertEquals(error.code, "BAD_ARGUMENT");
  }
  assertEquals(map(registry), "{ada=x}");
});

Deno.test("registry keeps the order of opening through updates and leaves", () => {
  const registry = new Registry();
  const [first, second] = [registry.open("1"), registry.open("2"), registry.open("3")];
  registry.update(first, "one");
  registry.close(second);
  registry.open("4");
  assertEquals(map(registry), "{client1=one, client3=3, client4=4}");
  assertEquals([...registry.entries()].map(({ id }) => id), ["client1", "client3", "client4"]);
});

Deno.test("registry carries every state verbatim", () => {
  const registry = new Registry();
  const entry = registry.open("");
  for (const state of Object.values(AWKWARD_STATES)) {
    registry.update(entry, state);
    assertEquals(registry.flatten(), bytesOf("{client1=", state, "}"));
    assertEquals(entry.state, state);
    assertEquals(entry.stateLength, state.length);
  }
});

Deno.test("registry copies states on the way in and out", () => {
  const registry = new Registry();
  const mine = bytesOf("-abc-");
  const entry = registry.open(mine, { start: 1, end: 4 });
  mine.fill(0);
  entry.state.fill(0);
  assertEquals(textOf(entry.state), "abc");
  const other = bytesOf("-xyz-");
  registry.update(entry, other, 1, 4);
  other.fill(0);
  assertEquals(map(registry), "{client1=xyz}");
});

Deno.test("registry keeps a state that shrinks and grows again", () => {
  const registry = new Registry();
  const entry = registry.open(new Uint8Array(10_000));
  registry.update(entry, "small");
  assertEquals(textOf(entry.state), "small");
  registry.update(entry, "small again");
  assertEquals(map(registry), "{client1=small again}");
});

Deno.test("registry counts a revision per change and records the times", () => {
  let now = 1_000;
  const registry = new Registry({ now: () => now });
  const entry = registry.open("a");
  assertEquals([entry.revision, entry.openedAt, entry.updatedAt], [1, 1_000, 1_000]);
  now = 2_000;
  registry.open("b");
  registry.update(entry, "c");
  assertEquals([entry.revision, entry.openedAt, entry.updatedAt], [3, 1_000, 2_000]);
  registry.close(entry);
  assertEquals([registry.revision, entry.revision], [4, 4]);
});

Deno.test("registry ignores closed entries and foreign ones", () => {
  const registry = new Registry();
  const entry = registry.open("a");
  assert(registry.close(entry));
  assert(!registry.close(entry));
  assert(!registry.update(entry, "b"));
  const copy = { ...entry, id: "client1" };
  assert(!registry.update(copy, "b"));
  assert(!registry.close(copy));
  assertEquals([registry.size, registry.revision], [0, 2]);
  assertEquals(registry.get("client1"), undefined);
});

Deno.test("subscriber is called with each change in order until it unsubscribes", () => {
  const registry = new Registry();
  const changes: string[] = [];
  const stop = registry.subscribe(({ kind, entry, revision }: Change) => {
    changes.push(`${revision} ${kind} ${entry.id}=${textOf(entry.state)}`);
  });
  const entry = registry.open("a");
  registry.update(entry, "b");
  registry.close(entry);
  stop();
  registry.open("c");
  assertEquals(changes, ["1 join client1=a", "2 update client1=b", "3 leave client1=b"]);
});

Deno.test("subscriber that throws stops neither the change nor other subscribers", () => {
  const registry = new Registry();
  const reported: unknown[] = [];
  const onError = (event: ErrorEvent) => {
    reported.push(event.error);
    event.preventDefault();
  };
  globalThis.addEventListener("error", onError);
  let heard = 0;
  registry.subscribe(() => {
    throw new Error("mine");
  });
  registry.subscribe(() => heard++);
  registry.open("a");
  globalThis.removeEventListener("error", onError);
  assertEquals([registry.size, heard, reported.length], [1, 1, 1]);
});

Deno.test("registry flattens once per change and leaves earlier bytes alone", () => {
  const registry = new Registry();
  const entry = registry.open("before");
  const flat = registry.flatten();
  assertStrictEquals(registry.flatten(), flat);
  registry.update(entry, "behind");
  assertEquals(textOf(flat), "{client1=before}");
  assertEquals(map(registry), "{client1=behind}");
});

Deno.test("registry does not flatten all of 10,000 states again after one change", () => {
  const registry = new Registry();
  const state = new Uint8Array(200);
  const entries = Array.from({ length: 10_000 }, () => registry.open(state));
  registry.flatten();
  // Flattening a state of this length calls `set` once, and so does joining a chunk. So the number of calls shows how
  // much was rebuilt, independent of the machine.
  const { set } = Uint8Array.prototype;
  let calls = 0;
  Uint8Array.prototype.set = function (...args: Parameters<typeof set>) {
    calls++;
    return set.apply(this, args);
  };
  try {
    const changed = entries[5_000];
    assert(changed !== undefined);
    registry.update(changed, "new");
    registry.flatten();
  } finally {
    Uint8Array.prototype.set = set;
  }
  assert(calls < 500, `${calls} copies`);
  assertEquals(registry.flatten().length, map(registry).length);
  assertNotEquals(map(registry).indexOf("client5001=new, "), -1);
});

Deno.test("registry finds the entries that joined after any revision", () => {
  const registry = new Registry();
  const entries = Array.from({ length: 1_000 }, () => registry.open("x"));
  for (let at = 0; at < entries.length; at += 3) registry.close(entries[at]!);
  const open = [...registry.entries()];
  for (let revision = 0; revision <= registry.revision; revision += 7) {
    assertEquals(
      Array.from(registry.entriesSince(revision), ({ id }) => id),
      open.filter(({ joinRevision }) => joinRevision > revision).map(({ id }) => id),
    );
  }
  assertEquals([...new Registry().entriesSince(0)], []);
});

Deno.test("registry agrees with a plain Map under random opens, updates and closes", () => {
  const command = fc.oneof(
    fc.record({ act: fc.constant("open"), who: fc.nat(), state: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ act: fc.constant("update"), who: fc.nat(), state: fc.uint8Array({ maxLength: 300 }) }),
    fc.record({ act: fc.constant("large"), who: fc.nat(), state: fc.constant(new Uint8Array(50_000).fill(120)) }),
    fc.record({ act: fc.constant("close"), who: fc.nat(), state: fc.constant(new Uint8Array()) }),
    fc.record({ act: fc.constant("many"), who: fc.nat(), state: fc.constant(bytesOf("m")) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const registry = new Registry();
      const model = new Map<string, Uint8Array>();
      const open = (state: Uint8Array) => model.set(registry.open(state).id, state);
      for (const { act, who, state } of commands) {
        const id = [...model.keys()][who % Math.max(1, model.size)];
        const entry = id === undefined ? undefined : registry.get(id);
        if (act === "open") open(state);
        else if (act === "many") { for (let i = 0; i < 100; i++) open(state); }
        else if (id === undefined || entry === undefined) continue;
        else if (act === "close") assertEquals(registry.close(entry), model.delete(id));
        else if (registry.update(entry, state)) model.set(id, state);
        const expected = [...model].map(([id, state], index) => bytesOf(index === 0 ? "" : ", ", `${id}=`, state));
        assertEquals(registry.flatten(), concat([bytesOf("{"), ...expected, bytesOf("}")]));
        assertEquals(registry.size, model.size);
      }
    }),
    { numRuns: 100 },
  );
});
