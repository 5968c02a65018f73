/**
 * The connections of a run: counted, bounded, and able to end in every way TCP allows.
 *
 * @module
 */

import { type Dial, dial, type Duplex } from "../../mod.ts";
import { writeFully } from "../support/bytes.ts";

/** All connections of a run. */
export class Lines {
  /** Connections that this side has not closed. */
  readonly open = new Set<Line>();
  readonly #port: number;
  readonly #limit: number;
  #made = 0;

  /**
   * @param port Port of the server
   * @param limit Most connections to make
   */
  constructor(port: number, limit: number) {
    this.#port = port;
    this.#limit = limit;
  }

  /** Number of connections made so far. */
  get made(): number {
    return this.#made;
  }

  /** Connects. */
  readonly dial = async (signal?: AbortSignal, timeout = 10_000): Promise<Line> => {
    if (this.#made >= this.#limit) throw new Error(`Cannot connect: the run's ${this.#limit} connections are made`);
    this.#made++;
    const connection = await dial("127.0.0.1", this.#port, signal, timeout);
    const line: Line = new Line(connection, () => this.open.delete(line));
    this.open.add(line);
    return line;
  };

  /**
   * Creates the `dial` of a client.
   *
   * @param onLine Called with each connection made
   */
  dialer(onLine: (line: Line) => void): Dial {
    return async (signal, timeout) => {
      const line = await this.dial(signal, timeout);
      onLine(line);
      return line;
    };
  }
}

/** One connection. */
export class Line implements Duplex {
  readonly #connection: Deno.TcpConn;
  readonly #onClose: () => void;
  #isCut = false;
  #isClosed = false;

  /**
   * @param connection The underlying connection
   * @param onClose Called when this side closes it
   */
  constructor(connection: Deno.TcpConn, onClose: () => void) {
    this.#connection = connection;
    this.#onClose = onClose;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    try {
      return await this.#connection.read(buffer);
    } catch (error) {
      throw this.#isCut ? new Deno.errors.ConnectionReset("connection reset", { cause: error }) : error;
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#connection.close();
  }

  /**
   * Ends it as a crash does: the system answers a late or unread reply with a reset.
   *
   * @param question A request that the server replies to
   */
  async reset(question: Uint8Array): Promise<void> {
    this.#isCut = true;
    await writeFully(this.#connection, question);
    this.close();
  }
}
