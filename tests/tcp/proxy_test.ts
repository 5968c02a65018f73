/** Connections through proxies that speak the PROXY protocol. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, dial, type ServeOptions, type ServerEvent, TrackerError } from "../../mod.ts";
import { parseProxyHeader } from "../../lib/tcp/proxy_header.ts";
import { bytesOf, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

/** A header of version 2. */
function binary(command: number, family: number, addresses: number[], more: number[] = []): Uint8Array {
  const length = addresses.length + more.length;
  return bytesOf(...SIGNATURE, 0x20 | command, family, length >> 8, length & 0xff, ...addresses, ...more);
}

const V4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 0x1a, 0x85];
const V6 = [
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0xc3, 0x50, 0x1a, 0x85],
];

const HEADERS: [string, Uint8Array, string | null][] = [
  ["version 1, IPv4", bytesOf("PROXY TCP4 192.0.2.7 10.0.0.1 50000 6789\r\n"), "192.0.2.7:50000"],
  ["version 1, IPv6", bytesOf("PROXY TCP6 2001:db8::5 ::1 50000 6789\r\n"), "2001:db8::5:50000"],
  ["version 1, unknown", bytesOf("PROXY UNKNOWN\r\n"), null],
  ["version 1, unknown with more", bytesOf("PROXY UNKNOWN ffff:f::f ffff::f 65535 65535\r\n"), null],
  ["version 2, IPv4", binary(1, 0x11, V4), "192.0.2.7:50000"],
  ["version 2, IPv6", binary(1, 0x21, V6), "2001:db8::5:50000"],
  ["version 2, with more", binary(1, 0x11, V4, [4, 0, 1, 0]), "192.0.2.7:50000"],
  ["version 2, for itself", binary(0, 0x11, V4), null],
  ["version 2, no address of IP", binary(1, 0x31, Array.from({ length: 216 }, () => 0)), null],
];

Deno.test("a header is read at every split point, and what follows it is left", () => {
  for (const [what, header, source] of HEADERS) {
    for (let length = 0; length < header.length; length++) {
      assertEquals(parseProxyHeader(header.subarray(0, length)), "more", `${what}, ${length} bytes`);
    }
    const found = parseProxyHeader(bytesOf(...header, 42, 3));
    if (typeof found === "string") throw new Error(`${what}: ${found}`);
    assertEquals(found.length, header.length, what);
    assertEquals(found.source === null ? null : `${found.source.hostname}:${found.source.port}`, source, what);
  }
});

Deno.test("whatever is no header is refused, and no later than it must be", () => {
  const wrong: [string, Uint8Array][] = [
    ["a message", bytesOf(42)],
    ["a request", bytesOf("GET / HTTP/1.1\r\n")],
    ["a family that does not fit", bytesOf("PROXY TCP4 ::1 ::1 1 2\r\n")],
    ["a network", bytesOf("PROXY TCP4 10.0.0.0/8 10.0.0.1 1 2\r\n")],
    ["a name", bytesOf("PROXY TCP4 localhost 10.0.0.1 1 2\r\n")],
    ["a port too high", bytesOf("PROXY TCP4 10.0.0.1 10.0.0.1 65536 2\r\n")],
    ["a port with a zero in front", bytesOf("PROXY TCP4 10.0.0.1 10.0.0.1 01 2\r\n")],
    ["a part too many", bytesOf("PROXY TCP4 10.0.0.1 10.0.0.1 1 2 3\r\n")],
    ["a line without an end", bytesOf(`PROXY TCP4 ${"1".repeat(200)}`)],
    ["another signature", bytesOf(13, 10, 13, 11)],
    ["another version", bytesOf(...SIGNATURE, 0x11, 0x11, 0, 12)],
    ["a command that does not exist", bytesOf(...SIGNATURE, 0x22, 0x11, 0, 12)],
    ["too long a header", bytesOf(...SIGNATURE, 0x21, 0x11, 0xff, 0xff)],
    ["too short for its addresses", binary(1, 0x21, V4)],
  ];
  for (const [what, bytes] of wrong) assertEquals(parseProxyHeader(bytes), "invalid", what);
});

/** A server behind a proxy on this machine. */
function behindProxy(options: ServeOptions = {}): { bench: TcpBench; events: ServerEvent[] } {
  const events: ServerEvent[] = [];
  const bench = new TcpBench({ proxyFrom: ["127.0.0.0/8"], onEvent: (event) => events.push(event), ...options });
  return { bench, events };
}

/** A client behind the proxy. */
async function clientAt(bench: TcpBench, address: string, state: string) {
  const header = bytesOf(`PROXY ${address.includes(":") ? "TCP6" : "TCP4"} ${address} ${address} 50000 6789\r\n`);
  return await connect({
    state,
    dial: async (signal, timeout) => {
      const connection = await dial("127.0.0.1", bench.port, signal, timeout);
      await writeFully(connection, header);
      return connection;
    },
  });
}

Deno.test("events, trusted networks and limits go by the address that the proxy tells", async () => {
  const { bench, events } = behindProxy({ maxPerAddress: 1 });
  await using _bench = bench;
  await using _one = await clientAt(bench, "192.0.2.7", "a");
  await using _two = await clientAt(bench, "2001:db8::1", "b");
  // Another address of the same /64.
  const refused = await assertRejects(() => clientAt(bench, "2001:db8::2", "c"), TrackerError);
  assertEquals([refused.code, bench.map], ["TOO_MANY_CLIENTS", "{client1=a, client2=b}"]);
  const joins = events.flatMap((event) => event.kind === "join" ? [event.peer] : []);
  assertEquals(joins.map(({ hostname, port }) => `${hostname} ${port}`), ["192.0.2.7 50000", "2001:db8::1 50000"]);
});

Deno.test("a proxy that says nothing useful is refused, and holds nobody up", async () => {
  const { bench, events } = behindProxy();
  await using _bench = bench;
  const silent = await Deno.connect({ port: bench.port });
  const check = await Deno.connect({ port: bench.port });
  check.close();
  const wrong = await Deno.connect({ port: bench.port });
  await writeFully(wrong, bytesOf(42, 3));
  assertEquals(await readToEnd(wrong).catch(() => bytesOf()), bytesOf());
  wrong.close();
  await using client = await clientAt(bench, "192.0.2.7", "a");
  assertEquals(await client.getText(), "{client1=a}");
  const errors = events.flatMap((event) => event.kind === "error" ? [event.error.message] : []);
  assertMatch(errors.join(), /^Cannot take connection: the header of its PROXY protocol is not valid$/);
  silent.close();
});

Deno.test("a connection that does not come from a proxy needs no header", async () => {
  await using bench = new TcpBench({ proxyFrom: ["10.0.0.0/8"] });
  await using client = await connect({ port: bench.port, state: "direct" });
  assertEquals(textOf(await client.get()), "{client1=direct}");
});

Deno.test("a network that cannot be parsed opens no port", async () => {
  const error = await assertRejects(
    async () => await Promise.resolve(new TcpBench({ proxyFrom: ["proxy"] })),
    TrackerError,
  );
  assertEquals(error.code, "BAD_ARGUMENT");
});
