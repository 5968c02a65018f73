import { assert, assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { Registry } from "../../mod.ts";
import { Bookmark, type ChangeLink, ChangeList, Tombstone } from "../../lib/map/change_list.ts";

class Place extends Bookmark {
  constructor(readonly neededSince: number = Infinity) {
    super();
  }
}

/** A client, as far as a list knows it. */
class Client implements ChangeLink {
  previous: ChangeLink | null = null;
  following: ChangeLink | null = null;
  constructor(readonly id: string, public revision: number) {}
}

/** The identifiers behind a bookmark, those of clients that have left in brackets. */
function behind(list: ChangeList, place: ChangeLink): string[] {
  const found: string[] = [];
  for (let link = list.after(place); link !== null; link = list.after(link)) {
    if (link instanceof Client) found.push(link.id);
    else if (link instanceof Tombstone) found.push(`(${link.id})`);
  }
  return found;
}

Deno.test("what has changed since a bookmark lies behind it, each client once and the latest change last", () => {
  const list = new ChangeList();
  const clients = ["a", "b", "c"].map((id, index) => new Client(id, index + 1));
  for (const client of clients) list.append(client);
  const [front, end] = [new Place(), new Place()];
  list.mark(front);
  list.mark(end, clients[2]);
  for (let revision = 4; revision < 10; revision++) {
    clients[0]!.revision = revision;
    list.append(clients[0]!);
  }
  list.remove(clients[1]!);
  list.bury(new Tombstone("b", 10, "close"));
  assertEquals(behind(list, front), ["c", "a", "(b)"]);
  assertEquals(behind(list, end), ["a", "(b)"]);
  list.remove(front);
  assertEquals(list.bookmarks, 1);
});

Deno.test("a bookmark is placed by a revision behind everything up to it", () => {
  const list = new ChangeList();
  for (let revision = 1; revision <= 5; revision++) list.append(new Client(`${revision}`, revision));
  for (const [revision, expected] of [[0, "12345"], [3, "45"], [5, ""], [9, ""]] as const) {
    const place = new Place();
    list.markSince(place, revision);
    assertEquals(behind(list, place).join(""), expected);
  }
});

Deno.test("old tombstones are dropped, but not those that a bookmark needs, unless they are very many", () => {
  const list = new ChangeList(10);
  let revision = 0;
  const bury = (count: number): void => {
    for (let left = count; left > 0; left--) list.bury(new Tombstone(`${++revision}`, revision, "close"));
  };
  bury(20);
  assert(list.tombstones <= 10, `${list.tombstones}`);
  assert(!list.canResumeFrom(1) && list.canResumeFrom(revision - 5));
  const needy = new Place(revision);
  list.markSince(needy, revision);
  const since = revision;
  bury(25);
  assert(list.canResumeFrom(since), "all that it needs are there");
  bury(20);
  assert(!list.canResumeFrom(since), "there were more than four times as many as are kept");
  assert(list.tombstones <= 40);
});

Deno.test("list of a registry: in the order of last change, whatever happens", () => {
  const act = fc.record({ kind: fc.constantFrom("open", "update", "mark", "close"), who: fc.nat(5) });
  fc.assert(fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
    const registry = new Registry();
    const changed = new Map<string, number>();
    for (const { kind, who } of acts) {
      const id = `n${who}`;
      const entry = registry.get(id);
      if (kind === "open" && entry === undefined) registry.open("", { id });
      else if (entry === undefined) continue;
      else if (kind === "update") registry.update(entry, "x");
      else if (kind === "close") registry.close(entry);
      else if (!registry.mark(entry, entry.status === "live" ? "suspect" : "live")) continue;
      changed.set(id, registry.revision);
    }
    const place = new Place();
    registry.changes.mark(place);
    const latest = new Map<string, number>();
    let last = 0;
    for (let link = registry.changes.after(place); link !== null; link = registry.changes.after(link)) {
      const { id, revision } = link as unknown as { id: string; revision: number };
      assert(revision > last, `${revision} after ${last}`);
      last = revision;
      latest.set(id, revision);
    }
    registry.changes.remove(place);
    assertEquals(latest, new Map([...changed].toSorted(([, one], [, other]) => one - other)));
  }));
});
