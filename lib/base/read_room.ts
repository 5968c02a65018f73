/**
 * Room to read into, behind bytes that are not yet parsed.
 *
 * @module
 */

/** First size of a buffer, in bytes. */
export const SMALLEST_READ_BUFFER = 4_096;

/** Largest buffer kept when it is empty, in bytes. */
const LARGEST_KEPT_BUFFER = 65_536;

/**
 * Moves the unparsed bytes to the front of a buffer with room for more: a larger one if they fill this one, and a small
 * one if it has grown large and is empty.
 *
 * @param buffer The buffer, into which nothing may be reading
 * @param from Where the unparsed bytes begin
 * @param to Where they end
 * @param needed How many bytes the parser needs in all; a larger buffer is never made larger than that
 * @returns The buffer to read into, with the unparsed bytes at its front
 */
export function makeReadRoom(
  buffer: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
  needed: number = Infinity,
): Uint8Array<ArrayBuffer> {
  const rest = to - from;
  if (rest < buffer.length && (rest !== 0 || buffer.length <= LARGEST_KEPT_BUFFER)) {
    if (from !== 0 && rest !== 0) buffer.copyWithin(0, from, to);
    return buffer;
  }
  const larger = new Uint8Array(rest === 0 ? SMALLEST_READ_BUFFER : Math.min(rest * 2, needed));
  larger.set(buffer.subarray(from, to));
  return larger;
}
