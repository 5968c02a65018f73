/**
 * Failures in making a release.
 *
 * @module
 */

/** A failure whose message says all there is to say. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}
