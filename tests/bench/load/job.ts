/**
 * Jobs for the load generator, and their results. Jobs are bytes and numbers only: the generator knows no protocol, so
 * it treats every server alike.
 *
 * Where a job's bytes contain `#####`, each connection sends its own number there, in five digits.
 *
 * @module
 */

/** Bytes as they travel in JSON. */
export type JobBytes = readonly number[];

/** Opens connections and adds them to those the generator holds. */
export interface ConnectJob {
  kind: "connect";
  port: number;
  count: number;
  /** Number of the first connection; the others follow. */
  first: number;
  /** Bytes that each sends at once. */
  prelude: JobBytes;
  /** Size of the reply that each waits for. */
  reply: number;
}

/** Closes all connections. */
export interface DisconnectJob {
  kind: "disconnect";
}

/** Sends a request on the first connection and reads until nothing more comes, to learn the reply and its size. */
export interface LearnJob {
  kind: "learn";
  request: JobBytes;
}

/** Sends a message over and over on every connection at once, many at a time. */
export interface StreamJob {
  kind: "stream";
  message: JobBytes;
  /** Messages in one write. */
  batch: number;
  /** Size of the reply to a batch, to wait for before the next; 0 to wait for nothing. */
  replyPerBatch: number;
  seconds: number;
  /** Bytes that each connection sends at the end, answered when everything before is done. */
  last: JobBytes;
  lastReply: number;
  /** Whether to end the stream after that. */
  halfClose: boolean;
}

/** Sends a request on every connection, waits for its reply, and sends the next. */
export interface AskJob {
  kind: "ask";
  request: JobBytes;
  reply: number;
  seconds: number;
}

/** Sends one message on each connection in turn, waiting for nothing. */
export interface FanJob {
  kind: "fan";
  message: JobBytes;
  rounds: number;
  /** Bytes that each connection sends at the end, answered when everything before is done. */
  last: JobBytes;
  lastReply: number;
}

/** Sends one message on each connection in turn, at a rate. */
export interface PaceJob {
  kind: "pace";
  message: JobBytes;
  reply: number;
  perSecond: number;
  seconds: number;
}

/** Opens connections that send two messages, receive both replies, and are closed by the server. */
export interface ChurnJob {
  kind: "churn";
  port: number;
  count: number;
  /** Connections at once. */
  together: number;
  hello: JobBytes;
  helloReply: number;
  goodbye: JobBytes;
  goodbyeReply: number;
}

/** Format of a watcher's stream: Tracker's frames, or messages of one size with the time of sending in them. */
export type Hearing = "frames" | { size: number; stampAt: number };

/** Sends messages on some connections, and counts each as often as it arrives on the others. */
export interface DeliverJob {
  kind: "deliver";
  /** Number of connections that send, from the first; the others receive. */
  senders: number;
  message: JobBytes;
  /** Offset of the time of sending in the message, 8 bytes long. */
  stampAt: number;
  /** Messages in one write. */
  together: number;
  /** Most messages that are under way to the slowest listener. */
  window: number;
  /** Messages to send a second; 0 for as many as the window allows. */
  perSecond: number;
  seconds: number;
  hearing: Hearing;
}

/** Any job. */
export type Job =
  | ConnectJob
  | DisconnectJob
  | LearnJob
  | StreamJob
  | AskJob
  | FanJob
  | PaceJob
  | ChurnJob
  | DeliverJob;

/** Result of a job. */
export interface JobResult {
  /** Number of completed messages, requests or connections. */
  count: number;
  /** Duration, in seconds. */
  seconds: number;
  /** Median and 99th percentile of the latency, in microseconds; for `ask` and `deliver`. */
  p50?: number;
  p99?: number;
  worst?: number;
  /** Of `learn`: the reply's size, and its beginning with one character a byte. */
  size?: number;
  text?: string;
}
