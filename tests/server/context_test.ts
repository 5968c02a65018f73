import { assertEquals } from "@std/assert";
import { Registry } from "../../mod.ts";
import {
  closeSessionContext,
  createSessionContext,
  type SessionContext,
  type SessionLimits,
  statsOf,
  trackSession,
} from "../../lib/server/context.ts";
import { textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { VirtualTime } from "../support/virtual_time.ts";

/** A session that counts how often it is checked. */
class FakeSession {
  checks = 0;

  checkProgress(): void {
    this.checks++;
  }
}

function contextWith(limits: Partial<SessionLimits>): SessionContext {
  return createSessionContext(new Registry({ incarnation: "i" }), { ...LIMITS, ...limits });
}

/** A client that nobody is told of. */
const OWNER = {
  address: "memory:0",
  dialect: "wide",
  token: null,
  silence: null,
  onTakenOver() {},
  report() {},
  kick() {},
} as const;

Deno.test("each session is checked four times within writeTimeout, for as long as it is there", async () => {
  using time = new VirtualTime();
  const context = contextWith({ writeTimeout: 1_000 });
  const [early, late] = [new FakeSession(), new FakeSession()];
  trackSession(context, early);
  await time.advance(400);
  trackSession(context, late);
  await time.advance(600);
  assertEquals([early.checks, late.checks], [4, 3]);
  context.sessions.delete(early);
  await time.advance(500);
  assertEquals([early.checks, late.checks], [4, 5]);
  closeSessionContext(context);
});

Deno.test("checking stops with the last session, and starts again with the next", async () => {
  using time = new VirtualTime();
  const context = contextWith({ writeTimeout: 1_000 });
  const session = new FakeSession();
  trackSession(context, session);
  context.sessions.clear();
  await time.advance(2_000);
  assertEquals([session.checks, time.running], [0, 0]);
  trackSession(context, session);
  await time.advance(250);
  assertEquals(session.checks, 1);
  closeSessionContext(context);
});

Deno.test("without writeTimeout no session is checked", async () => {
  using time = new VirtualTime();
  const context = contextWith({ writeTimeout: 0 });
  const session = new FakeSession();
  trackSession(context, session);
  await time.advance(100_000);
  assertEquals([session.checks, time.running], [0, 0]);
});

Deno.test("a report has what was counted and what the context holds", async () => {
  using time = new VirtualTime();
  const context = contextWith({});
  trackSession(context, new FakeSession());
  context.registry.open("abc");
  context.counters.accepted = 7;
  await time.advance(1_234);
  const { incarnation, uptime, revision, now, accepted, conflated, lag } = statsOf(context);
  assertEquals([incarnation, uptime, revision, accepted, conflated], ["i", 1_234, 1, 7, 0]);
  assertEquals(now, { connections: 1, unauthorized: 0, clients: 1, suspects: 0, watchers: 0, stateBytes: 3 });
  assertEquals(lag, { last: 0, worst: 0 });
  closeSessionContext(context);
});

Deno.test("closing takes suspect clients out of the map, and stops the timer", () => {
  using time = new VirtualTime();
  const context = contextWith({});
  const { registry, names } = context;
  const claim = names.claim("ada", { grace: 60 }, OWNER);
  claim.entry = registry.open("x", { id: "ada" });
  names.release(claim, "disconnect");
  assertEquals([textOf(registry.flatten()), statsOf(context).now.suspects], ["{ada=x}", 1]);
  closeSessionContext(context);
  assertEquals([textOf(registry.flatten()), statsOf(context).now.suspects, time.running], ["{}", 0, 0]);
});
