/**
 * What can go wrong in making a release.
 *
 * @module
 */

/** A failure whose message says it all. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}
