import { assert, assertEquals } from "@std/assert";
import { Client, type Duplex, Server, type ServerEvent } from "../../mod.ts";
import { Gateway } from "../../lib/gateway/mod.ts";
import { bytesOf, longLength, readExactly } from "../support/bytes.ts";
import { MemoryListener } from "../support/memory_listener.ts";
import { VirtualTime } from "../support/virtual_time.ts";
import { RawClient } from "./support/raw_client.ts";
import { WebBench } from "./support/web_bench.ts";

const UPGRADE = [
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

const [BINARY, CLOSE, PING, PONG] = [2, 8, 9, 10];

/** A frame as a client sends it. */
function frame(opcode: number, payload: Uint8Array | string = "", isFinal = true): Uint8Array {
  const bytes = bytesOf(payload);
  const mask = [7, 77, 177, 217];
  const length = bytes.length < 126 ? [bytes.length | 128] : [254, bytes.length >>> 8, bytes.length & 255];
  return bytesOf((isFinal ? 128 : 0) | opcode, ...length, ...mask, bytes.map((byte, at) => byte ^ mask[at & 3]!));
}

/** A WebSocket whose frames are written and read one by one. */
class FrameClient {
  readonly raw: RawClient;

  constructor(raw: RawClient) {
    this.raw = raw;
  }

  static async open(web: WebBench): Promise<FrameClient> {
    return await FrameClient.upgrade(await web.connect());
  }

  static async upgrade(raw: RawClient): Promise<FrameClient> {
    await raw.request("GET", "/ws", ...UPGRADE);
    const head = await raw.until("\r\n\r\n");
    assert(head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), head);
    return new FrameClient(raw);
  }

  get connection(): Duplex {
    return this.raw.connection;
  }

  async read(): Promise<{ opcode: number; payload: Uint8Array }> {
    const [first = 0, short = 0] = await readExactly(this.connection, 2);
    assertEquals(short & 128, 0, "a server masks nothing");
    const long = short === 126 ? await readExactly(this.connection, 2) : null;
    const length = long === null ? short : long[0]! << 8 | long[1]!;
    return { opcode: first & 15, payload: await readExactly(this.connection, length) };
  }

  async readClose(): Promise<number> {
    const { opcode, payload } = await this.read();
    assertEquals(opcode, CLOSE);
    return payload[0]! << 8 | payload[1]!;
  }
}

/** Tracker's own client over the WebSocket of the runtime. */
function dialWebSocket(url: string): () => Promise<Duplex> {
  return async () => {
    const socket = new WebSocket(url, "tracker");
    socket.binaryType = "arraybuffer";
    const chunks: Uint8Array[] = [];
    let wake = () => {};
    let isOver = false;
    socket.onmessage = ({ data }) => {
      chunks.push(new Uint8Array(data));
      wake();
    };
    socket.onclose = () => {
      isOver = true;
      wake();
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return {
      async read(buffer) {
        while (chunks.length === 0) {
          if (isOver) return null;
          await new Promise<void>((resolve) => wake = resolve);
        }
        const first = chunks.shift()!;
        const part = first.subarray(0, buffer.length);
        buffer.set(part);
        if (part.length < first.length) chunks.unshift(first.subarray(part.length));
        return part.length;
      },
      write(bytes) {
        socket.send(bytes.slice());
        return Promise.resolve(bytes.length);
      },
      close: () => socket.close(),
    };
  };
}

Deno.test("the handshake is the one of RFC 6455", async () => {
  await using web = new WebBench();
  const client = await web.connect();
  await client.request("GET", "/ws", ...UPGRADE, "Sec-WebSocket-Protocol: chat, tracker");
  const head = await client.until("\r\n\r\n");
  assert(head.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  assert(head.includes("Sec-WebSocket-Protocol: tracker\r\n"));
});

Deno.test("a request that asks for no WebSocket, or in a wrong way, gets none", async () => {
  await using web = new WebBench();
  const plain = await web.ask("/ws");
  assertEquals([plain.status, plain.json.code, plain.headers.get("sec-websocket-version")], [
    426,
    "UPGRADE_REQUIRED",
    "13",
  ]);
  for (const [line, status] of [["Sec-WebSocket-Version: 8", 426], ["Sec-WebSocket-Key: short", 400]] as const) {
    const client = await web.connect();
    const name = line.split(":")[0]!;
    await client.request("GET", "/ws", ...UPGRADE.filter((each) => !each.startsWith(name)), line);
    assertEquals((await client.response()).status, status);
  }
  const hasty = await web.connect();
  await hasty.send(
    `GET /ws HTTP/1.1\r\nHost: localhost\r\n${UPGRADE.join("\r\n")}\r\n\r\n`,
    frame(BINARY, bytesOf(42, 3)),
  );
  assertEquals([(await hasty.response()).status, await hasty.rest()], [400, ""]);
});

Deno.test("what comes in frames is what is read, wherever they and their messages end", async () => {
  await using web = new WebBench();
  const open = bytesOf(42, 0, longLength(3), "abc");
  const bytes = bytesOf(
    frame(BINARY, open.subarray(0, 5), false),
    frame(PING, "hi"),
    frame(0, open.subarray(5, 6), false),
    frame(0, "", false),
    frame(0, open.subarray(6)),
    frame(BINARY, bytesOf(42, 2, longLength(200), "x".repeat(200), 42, 3)),
  );
  for (let at = 1; at < bytes.length; at += 7) {
    const client = await FrameClient.open(web);
    await client.raw.send(bytes.subarray(0, at));
    await client.raw.send(bytes.subarray(at));
    let text = "";
    let pongs = 0;
    while (!text.endsWith("}")) {
      const { opcode, payload } = await client.read();
      if (opcode === PONG) pongs++;
      else text += new TextDecoder("latin1").decode(payload);
    }
    assertEquals(pongs, 1);
    assert(text.endsWith(`=${"x".repeat(200)}}`), text);
    client.raw.close();
    await web.until(() => web.registry.size === 0);
  }
});

Deno.test("a frame that no client may send closes the WebSocket with its code, once", async () => {
  await using web = new WebBench({}, { maxState: 1_000 });
  const cases: [bytes: Uint8Array, code: number][] = [
    [frame(1, "text"), 1_003],
    [bytesOf(0x82, 1, 42), 1_002],
    [bytesOf(0xc2, 0x81, 0, 0, 0, 0, 42), 1_002],
    [bytesOf(0x82, 0xff, 0, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4), 1_009],
    [frame(CLOSE, bytesOf(3)), 1_002],
    [frame(CLOSE, bytesOf(3, 232, 0xff)), 1_007],
  ];
  for (const [bytes, code] of cases) {
    const client = await FrameClient.open(web);
    await client.raw.send(bytes, frame(BINARY, bytesOf(42, 3)));
    assertEquals(await client.readClose(), code);
    client.raw.close();
  }
});

Deno.test("a client that closes is answered with one Close frame, and its entry is gone", async () => {
  await using web = new WebBench();
  const client = await FrameClient.open(web);
  await client.raw.send(frame(BINARY, bytesOf(42, 0, longLength(1), "a")));
  assertEquals((await client.read()).payload, bytesOf(1));
  await client.raw.send(frame(CLOSE, bytesOf(3, 232, "bye")));
  assertEquals(await client.readClose(), 1_000);
  assertEquals(await client.raw.rest(), "");
  await web.until(() => web.registry.size === 0);
});

Deno.test("an error of Tracker's comes as ever, and then the Close frame", async () => {
  await using web = new WebBench();
  const client = await FrameClient.open(web);
  await client.raw.send(frame(BINARY, bytesOf(42, 99)));
  const { payload } = await client.read();
  assertEquals(new TextDecoder().decode(payload.subarray(2)), "BAD_TYPE: Cannot parse message: there is no type 99");
  assertEquals(await client.readClose(), 1_000);
  await client.raw.send(frame(CLOSE));
  assertEquals(await client.raw.rest(), "");
});

Deno.test("a browser's client has all that others have: names, watches and lists", async () => {
  const events: ServerEvent[] = [];
  await using web = new WebBench({}, { onEvent: (event) => events.push(event) });
  await using client = new Client({
    dial: dialWebSocket(`ws://127.0.0.1:${web.port}/ws`),
    name: "page",
    state: "here",
  });
  await client.connected;
  await using watch = client.watch();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const event of watch) {
      seen.push(event.kind);
      if (event.kind === "update") return;
    }
  })();
  client.update("there");
  await web.until(() => web.registry.get("page") !== undefined);
  while (!seen.includes("synced")) await new Promise((resolve) => setTimeout(resolve, 1));
  client.update("x".repeat(60_000));
  await watching;
  const record = await client.fetch("page");
  assertEquals(record?.state.length, 60_000);
  assertEquals(events.find(({ kind }) => kind === "join")?.kind, "join");
  assert(events.every((event) => !("peer" in event) || event.peer.via === "ws"));
  const [{ dialect }] = (await web.ask("/clients")).json.clients;
  assertEquals(dialect, "wide");
});

Deno.test("a WebSocket takes one place, and gives up that of the request that asked for it", async () => {
  await using web = new WebBench({}, { maxClients: 2, maxPerAddress: 2 });
  const [one, two] = [await FrameClient.open(web), await FrameClient.open(web)];
  assertEquals(web.server.metrics().now.connections, 2);
  assertEquals(web.server.metrics().accepted, 2);
  for (const client of [one, two]) {
    await client.raw.send(frame(BINARY, bytesOf(42, 3)));
    assertEquals((await client.read()).payload, bytesOf(2, "{}"));
  }
  const full = await web.connect();
  assert((await full.rest()).includes("TOO_MANY_CLIENTS"));
});

Deno.test("a pong is a sign of life for the heartbeat, and the server asks for one", async () => {
  using time = new VirtualTime();
  const listener = new MemoryListener();
  const server = new Server([listener], {}, [new Gateway()]);
  const client = await FrameClient.upgrade(new RawClient(listener.connect()));
  const hello = bytesOf(JSON.stringify({ name: "page", heartbeat: 20 }));
  await client.raw.send(frame(BINARY, bytesOf(42, 4, longLength(hello.length), hello)));
  await client.read();
  for (let minute = 0; minute < 10; minute++) {
    await time.advance(25_000);
    assertEquals((await client.read()).opcode, PING);
    await client.raw.send(frame(PONG));
  }
  assertEquals(server.metrics().errors, {});
  await time.advance(51_000);
  assertEquals(server.metrics().errors, { TIMEOUT: 1 });
  await server.shutdown({ timeout: 0 });
});

Deno.test("a server that stops says so, and closes every WebSocket in order", async () => {
  await using web = new WebBench();
  const client = await FrameClient.open(web);
  await client.raw.send(frame(BINARY, bytesOf(42, 0, longLength(1), "a")));
  await client.read();
  const ended = web.server.shutdown();
  const { payload } = await client.read();
  assert(new TextDecoder().decode(payload).includes("SHUTTING_DOWN"));
  assertEquals(await client.readClose(), 1_000);
  await client.raw.send(frame(CLOSE, bytesOf(3, 232)));
  await ended;
});
