/**
 * The connections of a run: counted, bounded, and able to end in every way that TCP has.
 *
 * @module
 */

import { type Dial, dial, type Duplex } from "../../mod.ts";
import { writeFully } from "../support/bytes.ts";

/** All connections that a run makes. */
export class Lines {
  /** Those that this side has not closed. */
  readonly open = new Set<Line>();
  readonly #port: number;
  readonly #limit: number;
  #made = 0;

  /**
   * @param port Where the server listens
   * @param limit Most connections to make
   */
  constructor(port: number, limit: number) {
    this.#port = port;
    this.#limit = limit;
  }

  /** How many have been made. */
  get made(): number {
    return this.#made;
  }

  /** Makes a connection. */
  readonly dial = async (signal?: AbortSignal, timeout = 10_000): Promise<Line> => {
    if (this.#made >= this.#limit) throw new Error(`Cannot connect: the run's ${this.#limit} connections are made`);
    this.#made++;
    const connection = await dial("127.0.0.1", this.#port, signal, timeout);
    const line: Line = new Line(connection, () => this.open.delete(line));
    this.open.add(line);
    return line;
  };

  /**
   * What a client dials with.
   *
   * @param onLine Told of each connection made
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
   * @param connection What it is made of
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
   * Ends it as a crash does. The system answers a reply that comes too late, or that nobody has read, with a reset.
   *
   * @param question What makes the server reply
   */
  async reset(question: Uint8Array): Promise<void> {
    this.#isCut = true;
    await writeFully(this.#connection, question);
    this.close();
  }
}
