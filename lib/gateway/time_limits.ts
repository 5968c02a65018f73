/**
 * How long a client may take for what it has to do.
 *
 * @module
 */

/** The name of a limit. */
export type TimeLimit = "head" | "body" | "idle" | "comment" | "linger";

/** A limit. */
interface Limit {
  /** How long it is, in milliseconds. */
  readonly duration: number;
  /** What is said when it is reached. */
  readonly why: string;
}

/** Every limit. */
export const TIME_LIMITS: Readonly<Record<TimeLimit, Limit>> = {
  head: { duration: 10_000, why: "Cannot take request: its head was not complete 10 s after it began" },
  body: { duration: 10_000, why: "Cannot take request: its body was not complete 10 s after its head" },
  // From the end of a request to the beginning of the next.
  idle: { duration: 60_000, why: "Cannot keep connection: no request came for 60 s" },
  // A proxy such as nginx cuts a connection on which nothing comes for 60 s.
  comment: { duration: 15_000, why: "a comment keeps the stream alive" },
  linger: { duration: 2_000, why: "Cannot keep connection: the last answer was not taken within 2 s" },
};
