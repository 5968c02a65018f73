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

/** Time for a head, from its first byte, in milliseconds. */
const HEAD_TIME = 10_000;

/** Time for a body, from the end of its head. */
const BODY_TIME = 10_000;

/** Time from the end of a request to the beginning of the next. */
const IDLE_TIME = 60_000;

/** Time between two comments of a stream: a proxy such as nginx cuts a connection on which nothing comes for 60 s. */
const COMMENT_TIME = 15_000;

/** Time for the last answer to be taken. */
const LINGER_TIME = 2_000;

/** Every limit. */
export const TIME_LIMITS: Readonly<Record<TimeLimit, Limit>> = {
  head: { duration: HEAD_TIME, why: "Cannot take request: its head was not complete 10 s after it began" },
  body: { duration: BODY_TIME, why: "Cannot take request: its body was not complete 10 s after its head" },
  idle: { duration: IDLE_TIME, why: "Cannot keep connection: no request came for 60 s" },
  comment: { duration: COMMENT_TIME, why: "a comment keeps the stream alive" },
  linger: { duration: LINGER_TIME, why: "Cannot keep connection: the last answer was not taken within 2 s" },
};
