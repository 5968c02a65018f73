/** Names: who holds one, and how it changes hands. */

import { assertEquals } from "@std/assert";
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
