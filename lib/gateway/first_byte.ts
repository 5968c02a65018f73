/**
 * How HTTP is told from Tracker's messages.
 *
 * @module
 */

/** The name by which a listener says that only HTTP is spoken on its connections. */
export const HTTP = "http";

const FIRST = "A".charCodeAt(0);
const LAST = "Z".charCodeAt(0);

/** Begins Tracker's messages in the java dialect, and no method of HTTP that is in use. */
const JAVA = "B".charCodeAt(0);

/**
 * Tells whether a connection speaks HTTP.
 *
 * @param byte The first byte that has come on it
 * @returns Whether a method of HTTP can begin with it
 */
export function isHttp(byte: number): boolean {
  return byte >= FIRST && byte <= LAST && byte !== JAVA;
}
