/**
 * A point in the history of a map.
 *
 * @module
 */

/** A point in the history of a map, from which a watch can resume. */
export interface Position {
  /** The server's incarnation: revisions of different incarnations cannot be compared. */
  incarnation: string;
  /** The last revision that was seen. */
  revision: number;
}
