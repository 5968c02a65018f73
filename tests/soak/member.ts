/**
 * A client of a run.
 *
 * @module
 */

import { type Client, Connection, type Dialect, DIALECTS } from "../../mod.ts";
import { GET, MessageEncoder } from "../../lib/wire/mod.ts";
import type { Random } from "../support/random.ts";
import type { Line } from "./line.ts";

/** Kinds of client: numbered by the server, named, or named and reconnecting by itself. */
export type Kind = "numbered" | "named" | "steady";

/** One client, on whichever connection it has at present. */
export class Member {
  /** Its key in the model; for a named client, its name. */
  readonly key: string;
  readonly kind: Kind;
  readonly dialect: Dialect;
  /** Time that it stays in the map without a connection, in seconds. */
  readonly grace: number;
  #peer: Connection | Client | null = null;
  #line: Line | null = null;
  /** Key that reclaims its name. */
  resume: string | null = null;

  constructor(key: string, kind: Kind, options: { dialect?: Dialect; grace?: number } = {}) {
    this.key = key;
    this.kind = kind;
    this.dialect = options.dialect ?? "wide";
    this.grace = options.grace ?? 0;
  }

  /** Its connection, or the client that manages its connections. */
  get peer(): Connection | Client {
    if (this.#peer === null) throw new Error(`${this.key} has not connected`);
    return this.#peer;
  }

  set peer(peer: Connection | Client) {
    this.#peer = peer;
  }

  /** Its present connection. */
  get line(): Line {
    if (this.#line === null) throw new Error(`${this.key} has not connected`);
    return this.#line;
  }

  set line(line: Line) {
    this.#line = line;
  }

  /** Ends it at once if it is connected. */
  abort(): void {
    this.#peer?.abort();
  }

  /** Attaches the client to a connection. */
  connect(line: Line): Connection {
    this.line = line;
    const connection = new Connection(line, { dialect: this.dialect });
    this.peer = connection;
    return connection;
  }

  /** Resolves when the server has processed everything sent. */
  async confirm(): Promise<void> {
    if (this.kind === "numbered") await this.peer.get();
    else await this.peer.ping();
  }

  /** Resolves when it has noticed the end of its connection. */
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

/** Waits until a client's status changes. */
function change(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onStatus(() => {
      stop();
      resolve();
    });
  });
}

/** Waits until a client is connected. */
export async function connected(client: Client): Promise<void> {
  while (client.status !== "open") {
    if (client.status === "closed") throw client.error ?? new Error("Connection lost: the client has ended");
    await change(client);
  }
}

/** Longest state that a client of the compact dialect may wrap once more. */
const LONGEST_COMPACT = 250;

/** Contents of states besides noise: texts that must not confuse a reader of the map. */
const AWKWARD = ["", "}", ", client1=forged}", "{", "=", "\0", "\u{1f680}", "*\x03*\x01"];

/**
 * Makes a state.
 *
 * @param random Source of randomness
 * @param member The client whose state it is
 */
export function stateFor(random: Random, { key, dialect }: Member): Uint8Array {
  const longest = random.next() < 0.05 ? 8_192 : random.next() < 0.2 ? 200 : 30;
  const noise = random.bytes(random.integer(0, dialect === "compact" ? Math.min(longest, 150) : longest));
  const state = new Uint8Array([...new TextEncoder().encode(`${key}:${random.pick(AWKWARD)}`), ...noise]);
  return dialect === "compact" ? state.subarray(0, LONGEST_COMPACT) : state;
}

/** Picks a dialect. */
export function anyDialect(random: Random): Dialect {
  return random.pick(DIALECTS);
}
