/** Names: who holds one, and how it changes hands. */

import { assertEquals, assertMatch } from "@std/assert";
import { longLength } from "../support/bytes.ts";
import { SessionHost, type SessionPeer } from "./support/session_host.ts";

Deno.test("a name belongs to one connection from its Hello on", async () => {
  await using host = new SessionHost();
  const first = await host.greet({ name: "ada" });
  const second = host.connect();
  await second.request(4, { name: "ada" });
  assertEquals(await second.readErrorCode(), "NAME_TAKEN");
  await first.vanish();
  await host.greet({ name: "ada" });
});

Deno.test("takeover ends the older connection, whose client leaves before the new one joins", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  const old = await host.greet({ name: "ada", grace: 60 });
  await old.open("old");
  await watcher.readUntil("join");
  const young = await host.greet({ name: "ada", takeover: true });
  assertEquals(await old.readErrorCode(), "TAKEN_OVER");
  assertEquals(await watcher.seeUntil("leave"), ["2 leave ada takeover"]);
  await young.open("young");
  await old.vanish();
  assertEquals(host.map, "{ada=young}", "the end of the old connection affected the new holder");
  assertEquals(await watcher.seeUntil("join"), ["3 join ada young"]);
  const thief = host.connect();
  await thief.request(4, { name: "ada", resume: old.greeting.resume });
  assertEquals(await thief.readErrorCode(), "NAME_TAKEN");
});

Deno.test("a higher attempt of the same instance takes the name back without a leave, and a late lower one is refused", async () => {
  await using host = new SessionHost();
  const kinds: string[] = [];
  host.registry.subscribe(({ kind }) => kinds.push(kind));
  const first = await host.greet({ name: "ada", instance: "i-1", attempt: 3 });
  await first.open("a");
  const second = await host.greet({ name: "ada", instance: "i-1", attempt: 4 });
  assertEquals(await first.readErrorCode(), "TAKEN_OVER");
  for (const attempt of [undefined, 0, 3, 4]) {
    for (const takeover of [false, true]) {
      const late = host.connect();
      await late.request(4, { name: "ada", instance: "i-1", attempt, takeover, resume: first.greeting.resume });
      assertEquals(await late.readErrorCode(), "SUPERSEDED", `attempt ${attempt}`);
    }
  }
  await second.update("b");
  await second.list();
  assertEquals([host.map, kinds], ["{ada=b}", ["join", "update"]]);
});

Deno.test("a lower attempt is refused while the client is in its grace, and a higher one revives it", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  const first = await host.greet({ name: "ada", grace: 60, instance: "i", attempt: 2 });
  await first.open("a");
  await first.vanish();
  await watcher.readUntil("suspect");
  const late = host.connect();
  await late.request(4, { name: "ada", instance: "i", attempt: 1 });
  assertEquals(await late.readErrorCode(), "SUPERSEDED");
  await host.greet({ name: "ada", instance: "i", attempt: 3 });
  assertEquals(await watcher.seeUntil("resume"), ["3 resume ada"]);
});

Deno.test("another instance is another client, whatever its attempt", async () => {
  await using host = new SessionHost();
  await host.greet({ name: "ada", instance: "i", attempt: 1 });
  const other = host.connect();
  await other.request(4, { name: "ada", instance: "j", attempt: 9 });
  assertEquals(await other.readErrorCode(), "NAME_TAKEN");
  const nameless = host.connect();
  await nameless.request(4, { name: "ada", attempt: 9 });
  assertEquals(await nameless.readErrorCode(), "NAME_TAKEN");
});

Deno.test("the refusal of a taken name says how long its holder has been silent", async () => {
  await using host = new SessionHost();
  await host.greet({ name: "ada", heartbeat: 10 });
  const other = host.connect();
  await other.request(4, { name: "ada" });
  assertMatch(await other.readError(), /somebody else has it, silent for \d+(\.\d)? s, given up after 25 s$/);
});

Deno.test("a session that a listener ends during its takeover leaves the name free", async () => {
  await using host = new SessionHost();
  let ended: SessionPeer | null = null;
  const old = host.connect({
    onEvent: (event) => {
      if (event.kind === "error") ended?.session.abort();
    },
  });
  await old.hello({ name: "ada" });
  await old.open("old");
  ended = host.connect();
  await ended.request(4, { name: "ada", takeover: true });
  await ended.ended;
  assertEquals(host.map, "{}");
  await host.greet({ name: "ada" });
});

Deno.test("an Open is refused if the program has opened an entry of that name since the Hello", async () => {
  await using host = new SessionHost();
  const peer = await host.greet({ name: "ada" });
  host.registry.open("mine", { id: "ada" });
  await peer.send(42, 0, longLength(1), "x");
  assertEquals(await peer.readErrorCode(), "NAME_TAKEN");
  assertEquals(host.map, "{ada=mine}");
});

Deno.test("a client with the resume key takes its name back from its own connection without a leave", async () => {
  await using host = new SessionHost();
  const watcher = await host.watch();
  const old = await host.greet({ name: "ada" });
  await old.open("state");
  await watcher.readUntil("join");
  const back = await host.greet({ name: "ada", resume: old.greeting.resume! });
  assertEquals(back.greeting.resume, old.greeting.resume);
  assertEquals(await old.readErrorCode(), "TAKEN_OVER");
  assertEquals(host.map, "{ada=state}");
  await old.vanish();
  await back.update("news");
  assertEquals(await watcher.seeUntil("update"), ["2 update ada news"]);
  const wrong = host.connect();
  await wrong.request(4, { name: "ada", resume: back.greeting.resume?.replace(/.$/, "x") });
  assertEquals(await wrong.readErrorCode(), "NAME_TAKEN");
});
