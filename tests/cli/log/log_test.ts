import { assert, assertEquals } from "@std/assert";
import { EventLog, type LineFormat } from "../../../lib/cli/log/log.ts";
import type { Writer } from "../../../lib/cli/terminal/output.ts";
import { type ServerEvent, TrackerError } from "../../../mod.ts";
import { VirtualTime } from "../../support/virtual_time.ts";
import { assertHarmless, HOSTILE_TEXTS } from "../../support/hostile.ts";

const peer: Deno.NetAddr = { transport: "tcp", hostname: "::1", port: 5 };
const join: ServerEvent = { kind: "join", id: "client1", dialect: "wide", peer };
const failed: ServerEvent = { kind: "accept-error", error: new Error("no\x1b[2J\nmore") };

/** Takes a few bytes at a time, and none before it is released. */
class SlowTarget implements Writer {
  text = "";
  readonly released = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    await this.released.promise;
    const taken = bytes.subarray(0, 1_000);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }
}

async function log(format: LineFormat, ...events: ServerEvent[]): Promise<string> {
  const target = new SlowTarget();
  target.released.resolve();
  const log = new EventLog(format, target);
  for (const event of events) log.report(event);
  await log.close();
  return target.text;
}

Deno.test("a text log has one line for each event, whatever its text", async () => {
  const lines = (await log("text", join, failed)).split("\n").map((line) => line.replace(/^\S+Z /, ""));
  assertEquals(lines, ["join client1 [::1]:5 wide", "accept-error no\\x1b[2J\\x0amore", ""]);
});

Deno.test("a json log has one object for each event", async () => {
  const lines = (await log("json", join, failed)).trim().split("\n").map((line) => JSON.parse(line));
  assert(lines.every(({ time }) => Date.parse(time) > 0));
  assertEquals(lines.map(({ time: _, ...rest }) => rest), [
    { event: "join", id: "client1", peer: "[::1]:5", dialect: "wide" },
    { event: "accept-error", message: "no\\x1b[2J\\x0amore" },
  ]);
});

Deno.test("a log for the journal has severities in place of times", async () => {
  const error = new TrackerError("BAD_MAGIC", "no\nmagic");
  const events: ServerEvent[] = [{ kind: "leave", id: "client1", cause: "close", peer }, {
    kind: "error",
    error,
    peer,
  }];
  assertEquals((await log("journal", join, ...events, failed)).split("\n"), [
    "<6>join client1 [::1]:5 wide",
    "<6>leave client1 [::1]:5 close",
    "<4>error [::1]:5 BAD_MAGIC no\\x0amagic",
    "<4>accept-error no\\x1b[2J\\x0amore",
    "",
  ]);
});

Deno.test("a log that is off writes nothing", async () => {
  assertEquals(await log("off", join), "");
});

Deno.test("a log that is not read drops lines, keeps few, and counts those it dropped", async () => {
  const target = new SlowTarget();
  const log = new EventLog("json", target, 1_000);
  for (let count = 0; count < 10_000; count++) log.report(join);
  // While the first write is pending, more lines gather, up to the bound.
  await Promise.resolve();
  for (let count = 0; count < 10_000; count++) log.report(join);
  target.released.resolve();
  await log.close();
  const lines = target.text.trim().split("\n").map((line) => JSON.parse(line));
  const dropped = lines.filter(({ event }) => event === "dropped");
  const kept = lines.length - dropped.length;
  assert(kept < 50, `${kept} lines kept`);
  assertEquals(kept + dropped.reduce((sum, { lines }) => sum + lines, 0), 20_000);
});

Deno.test("a text log tells how many lines were dropped", async () => {
  const target = new SlowTarget();
  const log = new EventLog("text", target, 1);
  for (let count = 0; count < 3; count++) log.report(join);
  target.released.resolve();
  await log.close();
  assert(target.text.endsWith("Z dropped 2 lines: the log was not taken, or not fast enough\n"), target.text);
});

Deno.test("a hundred errors a second are logged, and the others counted", async () => {
  const error = new TrackerError("UNAUTHORIZED", "no");
  const target = new SlowTarget();
  target.released.resolve();
  const log = new EventLog("json", target);
  for (let count = 0; count < 1_000; count++) {
    log.report({ kind: "error", error, peer });
    // Joins and leaves are limited apart.
    if (count % 100 === 0) log.report(join);
  }
  await log.close();
  const lines = target.text.trim().split("\n").map((line) => JSON.parse(line));
  const count = (wanted: string) => lines.filter(({ event }) => event === wanted).length;
  assertEquals([count("error"), count("join"), count("dropped")], [100, 10, 1]);
  const { event, lines: dropped, message } = lines.at(-1);
  assertEquals([event, dropped, message], ["dropped", 900, "more than 100 errors in a second"]);
});

Deno.test("omitted errors are reported within a second, and the next second starts afresh", async () => {
  const error = new TrackerError("BAD_MAGIC", "no");
  const { promise: told, resolve } = Promise.withResolvers<void>();
  let text = "";
  const log = new EventLog("text", {
    write: (bytes) => {
      text += new TextDecoder().decode(bytes);
      if (text.includes("dropped")) resolve();
      return Promise.resolve(bytes.length);
    },
  });
  for (let count = 0; count < 101; count++) log.report({ kind: "error", error, peer });
  await told;
  assert(text.endsWith("Z dropped 1 lines: more than 100 errors in a second\n"), text.slice(-200));
  log.report({ kind: "error", error, peer });
  await log.close();
  assert(text.endsWith("BAD_MAGIC no\n"), text.slice(-200));
});

Deno.test("no identifier can harm the reader of the log", async () => {
  const joins = Object.values(HOSTILE_TEXTS).map((id): ServerEvent => ({ ...join, id }));
  for (const format of ["text", "json", "journal"] as const) {
    const lines = (await log(format, ...joins)).trimEnd().split("\n");
    assertEquals(lines.length, joins.length);
    lines.forEach(assertHarmless);
  }
});

Deno.test("a log that cannot be written causes no failure", async () => {
  const log = new EventLog("text", { write: () => Promise.reject(new Error("broken pipe")) });
  log.report(join);
  await log.close();
  log.report(join);
  await log.close();
});

Deno.test("a log that is no longer read does not delay the end", async () => {
  const log = new EventLog("text", { write: () => new Promise(() => {}) });
  log.report(join);
  await log.close();
});

Deno.test("failed handshakes count as errors, which are limited per second", async () => {
  const error = new TrackerError("TLS_FAILED", "Cannot agree on TLS: it is a scanner");
  const events: ServerEvent[] = Array.from({ length: 500 }, () => ({ kind: "tls-error", error, peer }));
  const lines = (await log("json", ...events)).trim().split("\n").map((line) => JSON.parse(line));
  const logged = lines.filter(({ event }) => event === "tls-error");
  assert(logged.length < 500, `${logged.length} lines`);
  const { time: _, ...line } = logged[0];
  assertEquals(line, { event: "tls-error", peer: "[::1]:5", code: error.code, message: error.message });
  const dropped = lines.filter(({ event }) => event === "dropped");
  assertEquals(logged.length + dropped.reduce((sum, { lines }) => sum + lines, 0), 500);
});

Deno.test("a log tells what was reloaded, and what could not be", async () => {
  const target = new SlowTarget();
  target.released.resolve();
  const log = new EventLog("text", target);
  log.report({ kind: "reload", what: "certificate" });
  log.report({ kind: "reload-error", what: "tokens", error: new Error("Cannot read:\nit is gone") });
  await log.close();
  const lines = target.text.split("\n").map((line) => line.replace(/^\S+Z /, ""));
  assertEquals(lines, ["reload certificate", "reload-error tokens Cannot read:\\x0ait is gone", ""]);
});

Deno.test("the clients of one address fill a hundred lines a second, and keep nobody else's out", async () => {
  using time = new VirtualTime();
  const target = new SlowTarget();
  target.released.resolve();
  const log = new EventLog("json", target);
  const from = (hostname: string) => ({ transport: "tcp", hostname, port: 1 }) as const;
  for (let index = 0; index < 500; index++) {
    log.report({ kind: "join", id: `client${index}`, dialect: "java", peer: from("10.6.6.6") });
    log.report({ kind: "leave", id: `client${index}`, cause: "close", peer: from("10.6.6.6") });
    if (index % 100 === 0) log.report({ kind: "join", id: "ada", dialect: "java", peer: from("10.0.0.1") });
  }
  await time.advance(1_000);
  log.report({ kind: "join", id: "again", dialect: "java", peer: from("10.6.6.6") });
  await log.close();
  const lines = target.text.trim().split("\n").map((line) => JSON.parse(line));
  const of = (peer: string) => lines.filter((line) => line.peer === peer).length;
  assertEquals([of("10.6.6.6:1"), of("10.0.0.1:1")], [101, 5]);
  const summed = lines.filter(({ event }) => event === "dropped");
  assertEquals(summed.map(({ lines, message }) => [lines, message]), [
    [900, "more than 100 joins and leaves from 10.6.6.6 in a second"],
  ]);
  assertEquals(lines.at(-1).id, "again");
});

Deno.test("lines that a full disk has not taken are counted, and the rest of the log stays whole", async () => {
  let text = "";
  let room = 70;
  const disk: Writer = {
    write(bytes) {
      if (room === 0) return Promise.reject(new Error("No space left on device"));
      const taken = bytes.subarray(0, room);
      room -= taken.length;
      text += new TextDecoder().decode(taken);
      return Promise.resolve(taken.length);
    },
  };
  const log = new EventLog("text", disk);
  for (let count = 0; count < 5; count++) log.report(join);
  while (room !== 0) await Promise.resolve();
  for (let count = 0; count < 3; count++) {
    log.report(join);
    await new Promise((resolve) => setTimeout(resolve));
  }
  room = Infinity;
  log.report(join);
  await log.close();
  const lines = text.trimEnd().split("\n").map((line) => line.replace(/^\S+Z /, ""));
  // The first, a part of the second, the last, and the seven that are missing.
  assertEquals(lines.length, 4);
  assertEquals([lines[0], lines[2]], ["join client1 [::1]:5 wide", "join client1 [::1]:5 wide"]);
  assertEquals(lines[3], "dropped 7 lines: the log was not taken, or not fast enough");
});

Deno.test("in the journal, only what may be wrong is a warning", async () => {
  const events: ServerEvent[] = [
    { kind: "set", id: "a", until: 0, peer },
    { kind: "suspect", id: "a", cause: "disconnect", peer },
    { kind: "suspect", id: "a", cause: "timeout", peer },
    { kind: "resume", id: "a", peer },
    { kind: "leave", id: "a", cause: "expired", peer },
  ];
  assertEquals((await log("journal", ...events)).trimEnd().split("\n"), [
    "<6>set a [::1]:5 1970-01-01T00:00:00.000Z",
    "<5>suspect a [::1]:5 disconnect",
    "<4>suspect a [::1]:5 timeout",
    "<6>resume a [::1]:5",
    "<6>leave a [::1]:5 expired",
  ]);
});
