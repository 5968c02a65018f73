/**
 * Long output that is made piece by piece, as fast as its reader takes it.
 *
 * @module
 */

/** About how many bytes a piece has: enough for a system call to pay, and little to keep for a reader that is slow. */
export const PIECE_BYTES = 65_536;

/** A source of bytes that holds at most a piece of them. */
export interface Pieces {
  /**
   * Makes the next piece. It takes well under a slice of time (see `Turns`), whatever the whole takes.
   *
   * @returns The bytes, which stay as they are until the next call; empty if there are none yet and it has to be called
   *   again; `null` after the last
   */
  next(): Uint8Array | null;
  /** Gives up what it holds. Called once, after the last piece or when nobody reads it any more. */
  release(): void;
}
