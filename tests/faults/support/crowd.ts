/**
 * Crowds of badly behaved clients: they send nothing, or a byte a second, or garbage, or read nothing, also over HTTP.
 *
 * @module
 */

import { bytesOf, longLength, writeFully } from "../../support/bytes.ts";
import { job, questions, tell } from "./talk.ts";

/** A job for the helper. */
export interface CrowdJob {
  port: number;
  count: number;
  kind: keyof typeof KINDS;
  /** Length of each state, in bytes. */
  stateLength?: number;
  /** What watchers watch; everything unless given. */
  prefix?: string;
}

/** The crowd so far. */
export interface CrowdState {
  /** Connections made. */
  connected: number;
  /** Connections ended by the server. */
  ended: number;
  /** Bytes accepted by the system. */
  sent: number;
}

const { stateLength = 10, prefix = "" } = job<CrowdJob | null>() ?? {};

const state: CrowdState = { connected: 0, ended: 0, sent: 0 };

/** Connections to make at once: fewer than the server's queue holds. */
const WAVE = 64;

const HELLO = bytesOf(42, 4, longLength(2), "{}");
const SCOPE = JSON.stringify({ prefix });
const WATCH = bytesOf(42, 5, longLength(SCOPE.length), SCOPE);

/** A long message that slow clients send byte by byte. Silence does not settle its dialect. */
const SLOW = bytesOf(66, 1, 0, longLength(1_000), new Uint8Array(1_000));

/** Behaviour of each kind on a connection. One that throws was dropped, and reconnects if its kind is persistent. */
const KINDS = {
  /** Sends nothing. */
  idle: (connection: Deno.Conn) => drain(connection),
  /** Opens with a state, then sends nothing. */
  open: async (connection: Deno.Conn) => {
    await send(connection, bytesOf(42, 0, longLength(stateLength), new Uint8Array(stateLength).fill(46)));
    await drain(connection);
  },
  /** Sends a byte a second of an endless message, and starts over when dropped. */
  slow: async (connection: Deno.Conn) => {
    void drain(connection);
    for (const byte of SLOW) {
      await send(connection, Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  },
  /** Sends garbage as fast as possible. */
  garbage: async (connection: Deno.Conn) => {
    const nonsense = crypto.getRandomValues(new Uint8Array(65_536));
    for (;;) await send(connection, nonsense);
  },
  /** Starts with valid messages and continues with garbage. */
  "late garbage": async (connection: Deno.Conn) => {
    const nonsense = crypto.getRandomValues(new Uint8Array(65_536));
    nonsense.set(bytesOf(42, 0, longLength(3), "abc", 42, 2, longLength(3), "def"));
    for (;;) await send(connection, nonsense);
  },
  /** Asks for the map endlessly, and reads nothing. */
  "deaf asker": async (connection: Deno.Conn) => {
    const gets = new Uint8Array(2_000).map((_, at) => at % 2 === 0 ? 42 : 3);
    for (;;) await send(connection, gets);
  },
  /** Watches and reads nothing, but keeps sending. */
  "deaf watcher": async (connection: Deno.Conn) => {
    await send(connection, bytesOf(HELLO, WATCH));
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await send(connection, bytesOf(42, 7));
    }
  },
  /** Watches and reads everything. */
  watcher: async (connection: Deno.Conn) => {
    await send(connection, bytesOf(HELLO, WATCH));
    await drain(connection);
  },
  /** Sends half the head of a request. */
  "half head": async (connection: Deno.Conn) => {
    await send(connection, bytesOf("GET /map HTTP/1.1\r\nHost: loc"));
    await drain(connection);
  },
  /** Sends a byte a second of a head that never ends. */
  "dripped head": async (connection: Deno.Conn) => {
    void drain(connection);
    await send(connection, bytesOf("GET /map HTTP/1.1\r\nHost: localhost\r\nX: "));
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await send(connection, bytesOf("x"));
    }
  },
  /** Sends half of the body that it has announced. */
  "half body": async (connection: Deno.Conn) => {
    const head = "PUT /clients/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n";
    await send(connection, bytesOf(head, new Uint8Array(30_000).fill(46)));
    await drain(connection);
  },
  /** Asks once, and keeps the connection. */
  "kept alive": async (connection: Deno.Conn) => {
    await send(connection, bytesOf("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await drain(connection);
  },
  /** Watches the events, and reads everything. */
  stream: async (connection: Deno.Conn) => {
    await send(connection, bytesOf("GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const buffer = new Uint8Array(65_536);
    while (await connection.read(buffer).catch(() => null) !== null);
  },
  /** Watches the events, and reads nothing. */
  "deaf stream": async (connection: Deno.Conn) => {
    await send(connection, bytesOf("GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await new Promise(() => {});
  },
  /** Watches over a WebSocket, and reads nothing. */
  "deaf socket": async (connection: Deno.Conn) => {
    await openSocket(connection);
    await send(connection, masked(bytesOf(HELLO, WATCH)));
    await new Promise(() => {});
  },
  /** Begins a message of 50 MB in a WebSocket, and sends as much of it as is taken. */
  "huge message": async (connection: Deno.Conn) => {
    await openSocket(connection);
    await send(connection, bytesOf(0x82, 0xff, longLength(50_000_000), 0, 0, 0, 0));
    void drain(connection);
    const part = new Uint8Array(65_536);
    for (;;) await send(connection, part);
  },
} satisfies Record<string, (connection: Deno.Conn) => Promise<void>>;

async function openSocket(connection: Deno.Conn): Promise<void> {
  const lines = ["GET /ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"];
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  await send(connection, bytesOf([...lines, key, "Sec-WebSocket-Version: 13", "", ""].join("\r\n")));
  let answer = "";
  const buffer = new Uint8Array(1);
  while (!answer.endsWith("\r\n\r\n")) {
    if (await connection.read(buffer) === null) throw new Error("refused");
    answer += String.fromCharCode(buffer[0]!);
  }
}

/** A frame of a client, whose mask changes nothing. */
function masked(payload: Uint8Array): Uint8Array {
  return bytesOf(0x82, 0x80 | payload.length, 0, 0, 0, 0, payload);
}

/** Kinds that reconnect when they are dropped. */
const PERSISTENT: readonly CrowdJob["kind"][] = ["slow", "garbage", "late garbage"];

async function send(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  await writeFully(connection, bytes);
  state.sent += bytes.length;
}

/** Reads to the end. */
async function drain(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(256);
  while (await connection.read(buffer).catch(() => null) !== null);
}

async function misbehave({ port, kind }: CrowdJob, onConnected: () => void): Promise<void> {
  do {
    try {
      using connection = await Deno.connect({ port });
      state.connected++;
      onConnected();
      await KINDS[kind](connection);
    } catch {
      // It was dropped.
    }
    state.ended++;
    // Stops waiting for a connection that could not be made.
    onConnected();
  } while (PERSISTENT.includes(kind));
}

if (import.meta.main) {
  const work = job<CrowdJob>();
  for (let begun = 0; begun < work.count; begun += WAVE) {
    const wave = Math.min(WAVE, work.count - begun);
    await Promise.all(Array.from({ length: wave }, () => {
      return new Promise<void>((resolve) => void misbehave(work, resolve));
    }));
  }
  tell(state);
  for await (const _ of questions()) tell(state);
  Deno.exit(0);
}
