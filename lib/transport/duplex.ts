/**
 * The one seam between Tracker and whatever carries its bytes.
 *
 * @module
 */

/**
 * A two-way byte stream. A connection of Deno is one as it stands; so can be TLS, a WebSocket or a pair in memory.
 *
 * Implementations may be as awkward as TCP: reads come in any size, writes may take less than they were given.
 */
export interface Duplex {
  /**
   * Completes what both sides must agree on before there are bytes, such as TLS. Reading and writing wait for it by
   * themselves.
   *
   * @returns Resolves when that is done; rejects when it failed, with a `TrackerError` that says why
   */
  handshake?(): Promise<unknown>;
  /**
   * Waits for bytes and puts them at the beginning of the buffer.
   *
   * @param buffer Where the bytes go
   * @returns How many came, or `null` when the other side has ended its stream; 0 if none came but a sign of life, for
   *   which only some kinds of streams have a way
   */
  read(buffer: Uint8Array): Promise<number | null>;
  /**
   * Takes bytes to send.
   *
   * @param bytes What to send
   * @returns How many were taken, which may be fewer than given
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the stream in this direction: the other side reads to the end, and can still answer. */
  closeWrite?(): Promise<void>;
  /** Ends the stream in both directions at once; a pending `read` or `write` rejects. */
  close(): void;
}

/**
 * Writes all of the bytes, however little each write takes.
 *
 * @param duplex Where to write to
 * @param bytes What to write; must not change until the promise resolves
 * @param onProgress Called after each write, with the number of bytes it took
 */
export async function writeAll(duplex: Duplex, bytes: Uint8Array, onProgress?: (count: number) => void): Promise<void> {
  let written = await duplex.write(bytes);
  onProgress?.(written);
  while (written < bytes.length) {
    const count = await duplex.write(bytes.subarray(written));
    written += count;
    onProgress?.(count);
  }
}
