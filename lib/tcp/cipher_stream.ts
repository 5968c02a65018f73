/**
 * A TCP connection as a stream of Node.js.
 *
 * @module
 */

import type { Incoming } from "../transport/listener.ts";
import { ignore } from "../base/async.ts";
import { Pool } from "../base/pool.ts";
import { writeAll } from "../transport/duplex.ts";
import type { NodeModules, NodeStream } from "./node_tls.ts";

/** Size of the buffer that a quiet connection reads into, in bytes. Most connections carry little at a time. */
const QUIET_BUFFER = 1_024;

/** Size of the buffer that a busy connection reads into, in bytes. */
const BUSY_BUFFER = 65_536;

const quietBuffers = new Pool(256, () => new Uint8Array(QUIET_BUFFER));
const busyBuffers = new Pool(16, () => new Uint8Array(BUSY_BUFFER));

/** What the bytes below TLS are to the connection above it. */
export interface CipherEvents {
  /** Called once, when the client has ended its stream, or with the error that broke the connection. */
  onEnd(error: unknown): void;
  /**
   * Called before bytes are handed to TLS.
   *
   * @returns What to wait for first; `null` if there is nothing to wait for
   */
  pace(): Promise<void> | null;
}

/**
 * The encrypted bytes of a connection: TCP below, and above it a stream of Node.js that TLS takes for a socket.
 *
 * The connection is read only while somebody {@linkcode wants} what is in it, so a client that sends faster than it is
 * served fills the system's buffers, and none of ours. The stream itself never fails: TLS would raise errors where nobody
 * can catch them.
 */
export class CipherStream {
  /** What TLS reads and writes. */
  readonly stream: NodeStream;
  readonly #connection: Incoming;
  readonly #events: CipherEvents;
  /** Whether the stream has room for more. */
  #hasRoom = false;
  #isWanted = false;
  #isReading = false;
  /** The write that is going on; `null` when everything has been handed to the system. */
  #writing: Promise<void> | null = null;
  #buffers = quietBuffers;
  #isClosed = false;
  /** Whether the client has sent anything. */
  hasHeard = false;

  /**
   * @param modules Node's
   * @param connection The client's connection
   * @param events What the connection above is asked and told
   */
  constructor({ stream: { Duplex } }: NodeModules, connection: Incoming, events: CipherEvents) {
    this.#connection = connection;
    this.#events = events;
    this.stream = new Duplex({
      autoDestroy: false,
      read: () => {
        this.#hasRoom = true;
        this.#read();
      },
      write: (bytes: Uint8Array, _encoding, done) => {
        this.#writing = this.#write(bytes).then(() => {
          this.#writing = null;
          done();
        });
      },
    });
    // TLS destroys it as soon as something fails, and would write its alert only then. There is nothing to destroy.
    this.stream.destroy = () => this.stream;
  }

  /** Whether bytes are wanted from the connection. */
  set wants(wants: boolean) {
    this.#isWanted = wants;
    if (wants) this.#read();
  }

  /** Waits until everything that was written has been handed to the system, or cannot be any more. */
  async drain(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Closes the connection at once. Closing again is safe. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isWanted = false;
    try {
      this.#connection.close();
    } catch {
      // The system has closed it already.
    }
  }

  #read(): void {
    if (!this.#isWanted || !this.#hasRoom || this.#isReading) return;
    this.#isReading = true;
    this.#hasRoom = false;
    void this.#readOnce();
  }

  /** Reads through a buffer that is large only while there is much to read. */
  async #readOnce(): Promise<void> {
    const buffers = this.#buffers;
    const buffer = buffers.take();
    try {
      const count = await this.#connection.read(buffer);
      const pause = this.#events.pace();
      if (pause !== null) await pause;
      this.#isReading = false;
      if (count === null) return this.#end(null);
      this.hasHeard = true;
      this.#buffers = count === buffer.length || count > QUIET_BUFFER ? busyBuffers : quietBuffers;
      this.stream.push(buffer.subarray(0, count));
      // TLS has copied it, unless it could not take it.
      if (this.stream.readableLength === 0) buffers.give(buffer);
      this.#read();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    this.#isWanted = false;
    this.#events.onEnd(error);
    this.stream.push(null);
  }

  /** Never rejects: a connection that is broken takes everything, and reading finds out. */
  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#isClosed) await writeAll(this.#connection, bytes).catch(ignore);
  }
}
