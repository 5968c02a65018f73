/**
 * A client of a run.
 *
 * @module
 */

import { type Client, Connection, type Dialect, DIALECTS, GET, MessageEncoder } from "../../mod.ts";
import type { Random } from "../support/random.ts";
import type { Line } from "./line.ts";

/** What kind of client: numbered by the server, with a name of its own, or with a name and coming back by itself. */
export type Kind = "numbered" | "named" | "steady";

/** One client, whatever connection it has at present. */
export class Member {
  /** What the model knows it by; of one that has a name, that. */
  readonly key: string;
  readonly kind: Kind;
  readonly dialect: Dialect;
  /** How long it stays in the map without a connection, in seconds. */
  readonly grace: number;
  #peer: Connection | Client | null = null;
  #line: Line | null = null;
  /** The key that takes its name back. */
  resume: string | null = null;

  constructor(key: string, kind: Kind, options: { dialect?: Dialect; grace?: number } = {}) {
    this.key = key;
    this.kind = kind;
    this.dialect = options.dialect ?? "wide";
    this.grace = options.grace ?? 0;
  }

  /** The connection that is its own, or the client that sees to its connections. */
  get peer(): Connection | Client {
    if (this.#peer === null) throw new Error(`${this.key} has not connected`);
    return this.#peer;
  }

  set peer(peer: Connection | Client) {
    this.#peer = peer;
  }

  /** What carries its bytes at present. */
  get line(): Line {
    if (this.#line === null) throw new Error(`${this.key} has not connected`);
    return this.#line;
  }

  set line(line: Line) {
    this.#line = line;
  }

  /** Ends it at once, if there is anything to end. */
  abort(): void {
    this.#peer?.abort();
  }

  /** Puts the client on a connection. */
  connect(line: Line): Connection {
    this.line = line;
    const connection = new Connection(line, { dialect: this.dialect });
    this.peer = connection;
    return connection;
  }

  /** Resolves when the server has taken all that was sent. */
  async confirm(): Promise<void> {
    if (this.kind === "numbered") await this.peer.get();
    else await this.peer.ping();
  }

  /** Resolves when its connection has ended, and it knows. */
  async lost(): Promise<void> {
    const { peer } = this;
    if (peer instanceof Connection) await peer.finished;
    else if (peer.status === "open") await change(peer);
  }

  /** Breaks its connection as a crash does. */
  async reset(): Promise<void> {
    const get = new MessageEncoder(this.dialect).encode(GET);
    await this.line.reset(get);
  }
}

/** Resolves when a client has another status. */
function change(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onStatus(() => {
      stop();
      resolve();
    });
  });
}

/** Resolves when a client is connected. */
export async function connected(client: Client): Promise<void> {
  while (client.status !== "open") {
    if (client.status === "closed") throw client.error ?? new Error("Cannot go on: the client has ended");
    await change(client);
  }
}

/** Longest state in the compact dialect that its client may wrap once more. */
const LONGEST_COMPACT = 250;

/** What states are made of besides noise: what must not confuse a reader of the map. */
const AWKWARD = ["", "}", ", client1=forged}", "{", "=", "\0", "\u{1f680}", "*\x03*\x01"];

/**
 * Makes a state.
 *
 * @param random What decides
 * @param member Whose it is
 */
export function stateFor(random: Random, { key, dialect }: Member): Uint8Array {
  const longest = random.next() < 0.05 ? 8_192 : random.next() < 0.2 ? 200 : 30;
  const noise = random.bytes(random.integer(0, dialect === "compact" ? Math.min(longest, 150) : longest));
  const state = new Uint8Array([...new TextEncoder().encode(`${key}:${random.pick(AWKWARD)}`), ...noise]);
  return dialect === "compact" ? state.subarray(0, LONGEST_COMPACT) : state;
}

/** Any dialect. */
export function anyDialect(random: Random): Dialect {
  return random.pick(DIALECTS);
}
