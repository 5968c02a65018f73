/**
 * What the load generator can be asked to do, and what it answers. Jobs are bytes and numbers only: the generator
 * knows no protocol, so it treats every server alike.
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
  /** The first one's number; the others follow. */
  first: number;
  /** What each sends at once. */
  prelude: JobBytes;
  /** How many bytes each is answered; they are waited for. */
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
  /** How many messages go out together. */
  batch: number;
  /** How many bytes answer a batch; they are waited for before the next. With 0, nothing is waited for. */
  replyPerBatch: number;
  seconds: number;
  /** What each connection sends at the end, to be answered when all before it is done. */
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
  /** What each connection sends at the end, to be answered when all before it is done. */
  last: JobBytes;
  lastReply: number;
}

/** Sends one message on each connection in turn, so many a second. */
export interface PaceJob {
  kind: "pace";
  message: JobBytes;
  reply: number;
  perSecond: number;
  seconds: number;
}

/** Opens connections that say two things, hear both answered, and are closed by the server. */
export interface ChurnJob {
  kind: "churn";
  port: number;
  count: number;
  /** How many live at once. */
  together: number;
  hello: JobBytes;
  helloReply: number;
  goodbye: JobBytes;
  goodbyeReply: number;
}

/** What a watcher's stream looks like: Tracker's frames, or messages of one size with the sender's time in them. */
export type Hearing = "frames" | { size: number; stampAt: number };

/** Sends messages on some connections, and counts each as often as it arrives on the others. */
export interface DeliverJob {
  kind: "deliver";
  /** How many connections send, from the first; the others listen. */
  senders: number;
  message: JobBytes;
  /** Where in the message the time of sending goes, in 8 bytes. */
  stampAt: number;
  /** How many messages go out together. */
  together: number;
  /** Most messages that are under way to the slowest listener. */
  window: number;
  /** How many messages to send a second; with 0, as many as the window allows. */
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

/** What came of a job. */
export interface JobResult {
  /** How many messages, requests or connections were completed. */
  count: number;
  /** How long that took. */
  seconds: number;
  /** Of `ask` and `deliver`: the median and the 99th percentile of the time to the reply or delivery, in microseconds. */
  p50?: number;
  p99?: number;
  /** Of `learn`: the reply's size, and its beginning with one character a byte. */
  size?: number;
  text?: string;
}
