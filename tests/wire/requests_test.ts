import { assertEquals, assertThrows } from "@std/assert";
import { MAX_REQUEST, TrackerError } from "../../mod.ts";
import { encodeRequest, parseHello, parseWatch } from "../../lib/wire/mod.ts";
import { bytesOf } from "../support/bytes.ts";

Deno.test("requests are parsed back as they were encoded", () => {
  const hello = { name: "pi-7", token: "t", heartbeat: 5, grace: 30, takeover: true, resume: "key" };
  assertEquals(parseHello(encodeRequest(hello)), hello);
  const watch = { prefix: "pi-", since: { incarnation: "x", revision: 7 } };
  assertEquals(parseWatch(encodeRequest(watch)), watch);
});

Deno.test("request longer than the limit cannot be encoded", () => {
  const overhead = encodeRequest({ prefix: "" }).length;
  const longest = "x".repeat(MAX_REQUEST - overhead);
  assertEquals(encodeRequest({ prefix: longest }).length, MAX_REQUEST);
  const { code, message } = assertThrows(() => encodeRequest({ prefix: `${longest}x` }), TrackerError);
  assertEquals([code, message], ["BAD_ARGUMENT", "Cannot encode request: 4097 bytes is above 4096"]);
});

Deno.test("request's error names the message and the member", () => {
  const messageOf = (json: string) => assertThrows(() => parseHello(bytesOf(json)), TrackerError).message;
  assertEquals(messageOf("hi"), "Cannot parse Hello: its payload is not JSON in UTF-8");
  assertEquals(messageOf("[]"), "Cannot parse Hello: its payload is JSON, but not an object");
  assertEquals(messageOf('{"takeover":1}'), 'Cannot parse Hello: "takeover" must be true or false');
});
