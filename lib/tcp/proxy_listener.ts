/**
 * Connections that come through a proxy.
 *
 * @module
 */

import type { Cidr } from "../auth/cidr.ts";
import { EMPTY } from "../base/bytes.ts";
import { TrackerError } from "../errors.ts";
import type { Incoming } from "../transport/listener.ts";
import { PrefixedConnection } from "./prefixed_connection.ts";
import { LONGEST_HEADER, parseProxyHeader } from "./proxy_header.ts";

/** How long a proxy may take to send its header, in milliseconds. */
const HEADER_TIMEOUT = 5_000;

/** Most connections whose headers are being waited for, or that wait to be taken. */
const MOST_WAITING = 1_024;

/** Brings connections. */
interface Source {
  /** Waits for the next. */
  accept(): Promise<Incoming>;
}

/** A connection that a proxy has made without saying for whom. It fails as soon as it is used. */
export class UnintroducedConnection extends PrefixedConnection {
  readonly #error: TrackerError;

  constructor(connection: Incoming, error: TrackerError) {
    super(connection, EMPTY);
    this.#error = error;
  }

  handshake(): Promise<void> {
    return Promise.reject(this.#error);
  }
}

/**
 * Brings connections once their proxies have said where they come from. The headers of many are waited for at once, so
 * that a proxy that takes its time holds nobody up. Connections that do not come from a proxy pass as they are.
 */
export class ProxyIntroductions implements Source {
  readonly #source: Source;
  readonly #proxies: readonly Cidr[];
  readonly #ready: Incoming[] = [];
  #waiting: PromiseWithResolvers<Incoming> | null = null;
  #isAccepting = false;
  #introducing = 0;

  /**
   * @param source Where connections come from
   * @param proxies The networks of the proxies
   */
  constructor(source: Source, proxies: readonly Cidr[]) {
    this.#source = source;
    this.#proxies = proxies;
  }

  accept(): Promise<Incoming> {
    const ready = this.#ready.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    this.#waiting = Promise.withResolvers();
    void this.#acceptMore();
    return this.#waiting.promise;
  }

  /** Accepts for as long as somebody waits. */
  async #acceptMore(): Promise<void> {
    if (this.#isAccepting) return;
    this.#isAccepting = true;
    while (this.#waiting !== null && this.#introducing + this.#ready.length < MOST_WAITING) {
      try {
        const connection = await this.#source.accept();
        const { hostname } = connection.remoteAddr;
        if (this.#proxies.some((network) => network.contains(hostname))) void this.#introduce(connection);
        else this.#bring(connection);
      } catch (error) {
        this.#waiting?.reject(error);
        this.#waiting = null;
      }
    }
    this.#isAccepting = false;
  }

  #bring(connection: Incoming): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#ready.push(connection);
    else waiting.resolve(connection);
  }

  async #introduce(connection: Incoming): Promise<void> {
    this.#introducing++;
    const introduced = await introduce(connection);
    this.#introducing--;
    if (introduced === null) connection.close();
    else this.#bring(introduced);
    if (this.#waiting !== null) void this.#acceptMore();
  }
}

/** Reads the header of a connection. Returns `null` for one that has ended without a word, as checks of health do. */
async function introduce(connection: Incoming): Promise<Incoming | null> {
  const buffer = new Uint8Array(LONGEST_HEADER);
  let length = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, HEADER_TIMEOUT);
  try {
    for (;;) {
      const header = parseProxyHeader(buffer.subarray(0, length));
      if (header === "invalid") return new UnintroducedConnection(connection, headerError("is not valid"));
      if (header !== "more") {
        const { hostname, port } = header.source ?? connection.remoteAddr;
        const rest = buffer.slice(header.length, length);
        return new PrefixedConnection(connection, rest, { transport: "tcp", hostname, port });
      }
      const count = await connection.read(buffer.subarray(length));
      if (count === null) {
        return length === 0 ? null : new UnintroducedConnection(connection, headerError("is cut off"));
      }
      length += count;
    }
  } catch {
    // A connection that was closed for being late cannot be closed again.
    return isLate ? new UnintroducedConnection(gone(connection), headerError("has not come in time")) : null;
  } finally {
    clearTimeout(timer);
  }
}

/** Stands for a connection that is closed already. */
function gone({ remoteAddr }: Incoming): Incoming {
  const fail = () => Promise.reject(new Error("the connection is closed"));
  return { remoteAddr, read: fail, write: fail, close: () => {} };
}

function headerError(why: string): TrackerError {
  return new TrackerError("BAD_MAGIC", `Cannot take connection: the header of its PROXY protocol ${why}`);
}
