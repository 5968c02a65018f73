/** How the calls of a connection fail, and how it ends. */

import { assertEquals, assertRejects } from "@std/assert";
import { type HelloRequest, TrackerError } from "../../mod.ts";
import { bytesOf, longLength } from "../support/bytes.ts";
import { ConnectionBench, openConnection } from "../support/connection_bench.ts";
import { codeOf } from "../support/errors.ts";
import { greetingReply } from "../support/greeting.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("error reply rejects pending calls with the server's code and text", async () => {
  await using bench = new ConnectionBench();
  const calls = [codeOf(bench.client.open("a")), codeOf(bench.client.get())];
  await bench.answer(0, 12, "BAD_TYPE: no");
  assertEquals(await Promise.all(calls), ["BAD_TYPE", "BAD_TYPE"]);
  await bench.client.finished;
  assertEquals([bench.client.error?.code, bench.client.error?.message], ["BAD_TYPE", "no"]);
  assertEquals(await codeOf(bench.client.get()), "BAD_TYPE");
  await bench.client.close();
});

Deno.test("unsolicited error ends the connection and is kept", async () => {
  await using bench = new ConnectionBench();
  await bench.answer(0, 18, "SHUTTING_DOWN: bye");
  await bench.client.finished;
  assertEquals(bench.client.error?.code, "SHUTTING_DOWN");
  assertEquals(await codeOf(bench.client.update("x")), "SHUTTING_DOWN");
});

Deno.test("malformed reply ends the connection", async () => {
  for (const answer of [bytesOf(7), bytesOf("HTTP/1.1 400 Bad Request\r\n"), bytesOf(0, 0, 9)]) {
    await using bench = new ConnectionBench();
    const call = codeOf(bench.client.open("a"));
    await bench.answer(answer);
    assertEquals(await call, "BAD_REPLY");
  }
});

Deno.test("map above the limit is refused from its length alone", async () => {
  await using bench = new ConnectionBench({ maxMap: 1_000 });
  const call = codeOf(bench.client.get());
  await bench.answer(longLength(2n ** 40n));
  assertEquals(await call, "REPLY_TOO_LARGE");
});

Deno.test("end of the connection rejects pending calls", async () => {
  for (const end of ["close", "reset"] as const) {
    await using bench = new ConnectionBench();
    const calls = [codeOf(bench.client.open("a")), codeOf(bench.client.get())];
    await bench.receive(42, 0, longLength(1), "a", 42, 3);
    bench.server[end]();
    const expected = end === "close" ? "CONNECTION_CLOSED" : "CONNECTION_FAILED";
    assertEquals(await Promise.all(calls), [expected, expected]);
    assertEquals(await codeOf(bench.client.update("x")), expected);
  }
});

Deno.test("unawaited Update is no unhandled rejection when the connection breaks", async () => {
  await using bench = new ConnectionBench();
  bench.client.update("a");
  bench.server.reset();
  bench.client.update("b");
  await bench.client.finished;
  bench.client.update("c");
});

Deno.test("calls behind one that timed out still get their own replies", async () => {
  await using bench = new ConnectionBench({ timeout: 10_000 });
  const [early, late] = [codeOf(bench.client.getText({ timeout: 20 })), bench.client.getText()];
  assertEquals(await early, "TIMEOUT");
  await bench.answer(5, "{a=1}", 5, "{a=2}");
  assertEquals(await late, "{a=2}");
});

Deno.test("every call can be aborted, before and while it waits", async () => {
  await using bench = new ConnectionBench();
  const reason = new Error("enough");
  const calls = [
    (signal: AbortSignal) => bench.client.open("a", { signal }),
    (signal: AbortSignal) => bench.client.get({ signal }),
    (signal: AbortSignal) => bench.client.getText({ signal }),
  ];
  for (const call of calls) {
    const controller = new AbortController();
    const waiting = assertRejects(() => call(controller.signal), TrackerError);
    controller.abort(reason);
    const error = await waiting;
    assertEquals([error.code, error.cause], ["ABORTED", reason]);
    assertEquals(await codeOf(call(AbortSignal.abort(reason))), "ABORTED");
  }
  assertEquals(await codeOf(bench.client.update("a", { signal: AbortSignal.abort(reason) })), "ABORTED");
  const closing = new AbortController();
  const closed = codeOf(bench.client.close({ signal: closing.signal }));
  closing.abort();
  assertEquals(await closed, "ABORTED");
  await bench.client.finished;
});

Deno.test("Update to a server that does not read times out", async () => {
  await using bench = new ConnectionBench({ timeout: 20 });
  assertEquals(await codeOf(bench.client.update("x".repeat(100_000))), "TIMEOUT");
  assertEquals(await codeOf(bench.client.update("x", { timeout: 5 })), "TIMEOUT");
});

Deno.test("connection buffers a limited amount for a server that does not read", async () => {
  await using bench = new ConnectionBench();
  const megabyte = "x".repeat(2 ** 20);
  for (let round = 0; round < 16; round++) bench.client.update(megabyte);
  assertEquals(await codeOf(bench.client.update(megabyte)), "BUFFER_FULL");
});

Deno.test("connection with a full buffer can be closed, but not in order", async () => {
  await using bench = new ConnectionBench({ timeout: 30 });
  const megabyte = "x".repeat(2 ** 20);
  for (let round = 0; round < 16; round++) bench.client.update(megabyte);
  assertEquals(await codeOf(bench.client.close()), "TIMEOUT");
  await bench.client.finished;
  assertEquals(bench.client.error?.code, "CONNECTION_CLOSED");
});

Deno.test("server's refusal is read while the client still writes", async () => {
  await using bench = new TcpBench({ maxState: 1_000 });
  await using client = await openConnection({ port: bench.port });
  const updates = Array.from({ length: 50 }, () => client.update("x".repeat(100_000)));
  await client.finished;
  await Promise.allSettled(updates);
  assertEquals(client.error?.code, "STATE_TOO_LARGE");
});

Deno.test("close is safe to repeat, and no call can follow it", async () => {
  await using bench = new TcpBench();
  const client = await openConnection({ port: bench.port, state: "a" });
  const closing = client.close();
  assertEquals(client.close(), closing);
  assertEquals(await codeOf(client.update("late")), "CONNECTION_CLOSED");
  await closing;
  await client.close();
  client.abort();
  assertEquals(await codeOf(client.get()), "CONNECTION_CLOSED");
});

Deno.test("close times out when the server does not answer", async () => {
  await using bench = new ConnectionBench({ timeout: 20 });
  assertEquals(await codeOf(bench.client.close()), "TIMEOUT");
  await bench.client.finished;
});

Deno.test("refused token that the server knew is known to lack the right to write", async () => {
  const refusal = bytesOf(0, 16, "UNAUTHORIZED: no");
  const cases: [HelloRequest, Uint8Array, string | undefined][] = [
    [{ token: "t" }, refusal, undefined],
    [{ name: "pi" }, refusal, undefined],
    [{}, bytesOf(greetingReply(), refusal), undefined],
    [{ token: "t", name: "pi" }, refusal, "write-denied"],
    [{ token: "t" }, bytesOf(greetingReply(), refusal), "write-denied"],
  ];
  for (const [hello, answer, reason] of cases) {
    await using bench = new ConnectionBench();
    bench.client.hello(hello).catch(() => {});
    const opening = assertRejects(() => bench.client.open("a"), TrackerError);
    await bench.answer(answer);
    const error = await opening;
    assertEquals([error.code, error.message, error.reason], ["UNAUTHORIZED", "no", reason]);
    await bench.client.finished;
    assertEquals(bench.client.error, error);
  }
});
