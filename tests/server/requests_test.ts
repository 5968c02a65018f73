import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Grant, Registry, Tokens, TrackerError } from "../../mod.ts";
import { decodeEvents, decodeList } from "../../lib/wire/mod.ts";
import type { AccessRules } from "../../lib/auth/access.ts";
import { readU64 } from "../../lib/base/bytes.ts";
import {
  closeSessionContext,
  createSessionContext,
  type SessionContext,
  type SessionLimits,
} from "../../lib/server/context.ts";
import { HELLO, LIST, MESSAGE_NAMES, type MessageType, OPEN, PING, STATS, UPDATE, WATCH } from "../../lib/protocol.ts";
import { Presence } from "../../lib/server/presence.ts";
import { ReplyWriter } from "../../lib/server/reply_writer.ts";
import type { Requester } from "../../lib/server/requester.ts";
import { answerRequest } from "../../lib/server/requests.ts";
import { SessionTimers } from "../../lib/server/session_timers.ts";
import { bytesOf, textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";

const WRITER = "a-token-for-writing";
const READER = "a-token-for-reading";
const RULES: AccessRules = {
  tokens: () => Tokens.parse(`robots:${WRITER}\ndash:${READER}:read`),
  authorize: null,
  trustedNetworks: [],
};

/** A session whose requests come from the test, and whose replies are gathered and not written. */
class FakeSession implements Requester, Disposable {
  readonly context: SessionContext;
  readonly presence: Presence;
  readonly replies: ReplyWriter;
  readonly timers: SessionTimers;
  readonly hasFullOutput = false;
  isOpen = true;
  permission: Requester["permission"] = "admin";
  grant: Grant | null = null;
  pending: Promise<void> | null = null;
  readonly dialect = "wide";
  readonly observer = {};
  readonly errors: string[] = [];

  constructor(limits: Partial<SessionLimits> = {}, rules: AccessRules | null = null) {
    this.context = createSessionContext(new Registry({ incarnation: "i" }), { ...LIMITS, ...limits }, rules);
    const { context } = this;
    const [connection] = createPair();
    this.presence = new Presence({
      context,
      isOpen: true,
      close() {},
      report() {},
      observer: {},
      peer: this.peer,
      timers: { silence: null },
      dialect: "wide",
      grant: null,
    });
    this.replies = new ReplyWriter({ context, connection, close() {}, onProgress() {} });
    this.timers = new SessionTimers({ context: this.context, onExpired() {} });
    if (rules !== null) this.permission = "none";
  }

  get watcher(): Requester["watcher"] {
    return this.replies.watcher;
  }

  readonly peer = { transport: "tcp", hostname: "memory", port: 0 } as const;

  sendNews(): void {}

  close(error: TrackerError): void {
    this.isOpen = false;
    this.errors.push(error.code);
  }

  admit(grant: Grant): void {
    this.grant = grant;
    this.permission = grant.access;
  }

  suspend(decision: Promise<void>): void {
    this.pending = decision;
  }

  /** Handles a request, and returns what was added to the replies. */
  ask(type: MessageType, payload: unknown = {}): Uint8Array {
    const { gathered } = this.replies;
    const before = gathered.length;
    answerRequest(this, type, bytesOf(JSON.stringify(payload)));
    return gathered.gathered.slice(before);
  }

  /** Handles a request, and returns the code of the error that refuses it. */
  refuse(type: MessageType, payload: unknown = {}): string {
    return assertThrows(() => this.ask(type, payload), TrackerError).code;
  }

  [Symbol.dispose](): void {
    this.watcher?.close();
    closeSessionContext(this.context);
  }
}

/** What follows the eight bytes of its own length. */
function payloadOf(reply: Uint8Array): Uint8Array {
  assertEquals(Number(readU64(reply, 0)), reply.length - 8);
  return reply.subarray(8);
}

Deno.test("without a token only a Hello is allowed, and the map is not revealed", () => {
  using session = new FakeSession({}, RULES);
  for (const type of [OPEN, UPDATE, WATCH, LIST, PING, STATS] as const) {
    assertEquals(session.refuse(type), "UNAUTHORIZED", MESSAGE_NAMES[type]);
  }
  assertEquals(session.refuse(HELLO), "UNAUTHORIZED");
  assertEquals([session.permission, session.replies.gathered.length], ["none", 0]);
});

Deno.test("a Hello grants what its token allows, and ends the wait for it", () => {
  for (const [token, permission] of [[WRITER, "write"], [READER, "read"]] as const) {
    using session = new FakeSession({}, RULES);
    session.timers.arm("handshake");
    session.ask(HELLO, { token });
    assertEquals([session.permission, session.timers.isArmed("handshake")], [permission, false]);
  }
});

Deno.test("a token for reading allows neither a name nor a state", () => {
  using nameless = new FakeSession({}, RULES);
  assertEquals(nameless.refuse(HELLO, { token: READER, name: "ada" }), "UNAUTHORIZED");
  using session = new FakeSession({}, RULES);
  session.ask(HELLO, { token: READER });
  assertEquals([session.refuse(OPEN), session.refuse(UPDATE)], ["UNAUTHORIZED", "UNAUTHORIZED"]);
  for (const type of [LIST, PING, STATS, WATCH] as const) session.ask(type);
});

Deno.test("a Hello is answered with a greeting, and starts the heartbeat it promises", () => {
  using session = new FakeSession();
  const reply = session.ask(HELLO, { name: "ada", heartbeat: 2, grace: 30 });
  const { version: _, resume, ...greeting } = JSON.parse(textOf(payloadOf(reply.subarray(1))));
  const granted = {
    server: "tracker",
    incarnation: "i",
    id: "ada",
    heartbeat: 2,
    grace: 30,
    maxState: 65_536,
    edition: 2,
  };
  assertEquals([reply[0], greeting, resume], [1, granted, session.presence.claim?.key]);
  assertEquals([session.timers.patience, session.timers.isArmed("heartbeat")], [5_000, true]);
});

Deno.test("a Hello without a name gets no grace, and without a heartbeat starts no timer", () => {
  using session = new FakeSession();
  const greeting = JSON.parse(textOf(payloadOf(session.ask(HELLO, { grace: 30 }).subarray(1))));
  assertEquals([greeting.id, greeting.resume, greeting.grace], [null, null, 0]);
  assert(!session.timers.isArmed("heartbeat"));
});

Deno.test("a session that ends while it claims a name gets no greeting", () => {
  using session = new FakeSession();
  session.isOpen = false;
  assertEquals(session.ask(HELLO, { name: "ada", heartbeat: 2 }), bytesOf());
  assert(!session.timers.isArmed("heartbeat"));
});

Deno.test("a List is answered with the records of its prefix", () => {
  using session = new FakeSession();
  for (const id of ["robot:1", "human:1", "robot:2"]) session.context.registry.open("x", { id });
  const listed = (payload: object) => decodeList(payloadOf(session.ask(LIST, payload))).records.map(({ id }) => id);
  assertEquals(listed({}), ["robot:1", "human:1", "robot:2"]);
  assertEquals(listed({ prefix: "robot:" }), ["robot:1", "robot:2"]);
});

Deno.test("a Stats is answered with a report", () => {
  using session = new FakeSession();
  session.context.registry.open("abc");
  const { incarnation, now } = JSON.parse(textOf(payloadOf(session.ask(STATS))));
  assertEquals([incarnation, now.clients, now.stateBytes], ["i", 1, 3]);
});

Deno.test("a Ping is answered with one byte, and on a connection that watches with an event", () => {
  using session = new FakeSession();
  assertEquals(session.ask(PING), bytesOf(1));
  session.ask(WATCH);
  const [pong, ...more] = decodeEvents(payloadOf(session.ask(PING)));
  assertEquals([pong?.kind, more], ["pong", []]);
});

Deno.test("a Watch makes the session a watcher, which may send no other request than Ping", () => {
  using session = new FakeSession();
  assertEquals(session.ask(WATCH), bytesOf(1));
  assert(session.watcher !== null);
  for (const type of [OPEN, HELLO, WATCH, LIST, STATS] as const) {
    const { code, message } = assertThrows(() => session.ask(type), TrackerError);
    const why = `${MESSAGE_NAMES[type]} cannot be sent on a connection that watches`;
    assertEquals([code, message], ["BAD_TYPE", `Cannot take message: ${why}`]);
  }
});

Deno.test("a Watch above maxWatchers is refused", () => {
  using session = new FakeSession({ maxWatchers: 0 });
  const { code, limit } = assertThrows(() => session.ask(WATCH), TrackerError);
  assertEquals([code, limit, session.watcher], ["TOO_MANY_CLIENTS", "watchers", null]);
});

Deno.test("a request whose payload is invalid is refused, and not answered", () => {
  using session = new FakeSession();
  for (const type of [HELLO, WATCH, LIST] as const) assertEquals(session.refuse(type, []), "BAD_HELLO");
  assertEquals([session.watcher, session.replies.gathered.length], [null, 0]);
});
