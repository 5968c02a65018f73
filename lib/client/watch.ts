/**
 * Following the changes of the map.
 *
 * @module
 */

import { ignore } from "../base/async.ts";
import type { TrackerError } from "../errors.ts";
import type { Greeting, HelloRequest, Position, WatchRequest } from "../wire/requests.ts";
import type { Backoff } from "./backoff.ts";
import { abortedError, badArgument, brokenError, type CallOptions, closedError } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { establish, type EstablishOptions } from "./establish.ts";
import { Handoff } from "./handoff.ts";
import type { WatchedEvent } from "./reply_reader.ts";

/**
 * An event of a {@linkcode Watch}.
 *
 * A watch begins with a snapshot: `snapshot`, a `present` for each client, `synced`. Then come the changes as they
 * happen. Another snapshot follows if the connection was lost and the server cannot tell what changed meanwhile,
 * because it was started anew or too much has happened. It replaces all earlier events: a client without a `present`
 * in it has left.
 *
 * | kind | meaning |
 * |---|---|
 * | `snapshot` | the whole map follows; forget what you know |
 * | `present` | a client of the snapshot, in the order of last change; it comes again if it changes meanwhile |
 * | `synced` | the snapshot is complete; what follows happens now |
 * | `join`, `update`, `set`, `suspect`, `resume`, `leave` | a change |
 *
 * A reader that is slower than the map changes skips states of a client, but never the latest one and never a leave. So
 * a `leave` may be of a client that was never seen.
 */
export type MapEvent = (Exclude<WatchedEvent, { kind: "snapshot" }> | { kind: "snapshot" }) & {
  /** When it arrived, in milliseconds since 1970-01-01 UTC. */
  time: number;
};

/** Options for {@linkcode Watch}. */
export interface WatchOptions {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /**
   * Where an earlier watch ended: its {@linkcode Watch.position}. The watch then begins with the changes since, and
   * `synced`; or with a snapshot if the server cannot tell them.
   */
  since?: Position;
  /** Ends the watch when aborted: it throws ABORTED. Leaving the loop ends it without an error. */
  signal?: AbortSignal;
  /**
   * Called with `null` when the watch has connected, and with the reason when its connection was lost or could not be
   * made, even if it is not tried again. It must not throw.
   */
  onConnection?: (error: TrackerError | null) => void;
}

/** @internal What a watch needs of its client. */
export interface WatchSource {
  readonly link: EstablishOptions;
  /** The Hello of each connection. */
  readonly hello: () => Promise<HelloRequest>;
  /** Whether the client uses the extensions. */
  readonly isExtended: boolean;
  readonly backoff: () => Backoff;
  /** Aborted when the client ends. */
  readonly stop: AbortSignal;
  /** Resolves when the client has ended, to what ended it; `null` after an orderly end. */
  readonly ended: Promise<TrackerError | null>;
}

/**
 * A watch of the map, read with `for await`. It connects when it is first read, on a connection of its own. If its
 * client reconnects so does the watch, and continues where it was: no event is repeated or left out.
 *
 * Nothing piles up in memory while the reader is busy with an event: the server waits.
 */
export class Watch implements AsyncIterableIterator<MapEvent>, AsyncDisposable {
  readonly #source: WatchSource;
  readonly #prefix: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onConnection: ((error: TrackerError | null) => void) | undefined;
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<MapEvent, void>;
  /** Whether a snapshot is under way. */
  #isSnapshot = false;
  #position: Position | null;
  /** Whether the reader has seen a `synced`. */
  #wasSynced = false;

  /** @internal Use `Client.watch`. */
  constructor(source: WatchSource, options: WatchOptions) {
    this.#source = source;
    this.#prefix = options.prefix ?? "";
    this.#signal = options.signal;
    this.#onConnection = options.onConnection;
    this.#position = options.since === undefined ? null : { ...options.since };
    this.#events = this.#run();
  }

  /** How far the watch has come: what another one takes as `since`. `null` before `synced`. */
  get position(): Position | null {
    return this.#position === null ? null : { ...this.#position };
  }

  /**
   * Waits for the next event.
   *
   * @returns The event; done when the watch was left, or its client closed
   * @throws {TrackerError} ABORTED, BAD_ARGUMENT when the client has not greeted the server, or what ended the
   *   connection or the client
   */
  next(): Promise<IteratorResult<MapEvent, void>> {
    return this.#events.next();
  }

  /**
   * Ends the watch, even while `next` waits for an event. Safe to repeat.
   *
   * @returns Done
   */
  return(): Promise<IteratorResult<MapEvent, void>> {
    this.#stop.abort();
    return this.#events.return();
  }

  /** What `for await` calls. A watch can be read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the watch. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Reads one connection after the other. */
  async *#run(): AsyncGenerator<MapEvent, void> {
    if (!this.#source.isExtended) throw badArgument("watch", "the client did not begin with a Hello");
    const backoff = this.#source.backoff();
    const signals = [this.#stop.signal, this.#source.stop, ...this.#signal === undefined ? [] : [this.#signal]];
    const signal = AbortSignal.any(signals);
    for (;;) {
      try {
        yield* this.#connect(signal, () => {
          backoff.opened();
          this.#onConnection?.(null);
        });
      } catch (error) {
        if (!signal.aborted) this.#onConnection?.(brokenError(error));
        if (await this.#isOver(brokenError(error), backoff, signal)) return;
      }
    }
  }

  /** Waits until it is time to connect again. Returns whether the watch has ended instead. */
  async #isOver(error: TrackerError, backoff: Backoff, signal: AbortSignal): Promise<boolean> {
    try {
      await backoff.pause(error, signal);
      return false;
    } catch (error) {
      if (await this.#hasEnded()) return true;
      throw error;
    }
  }

  /** Whether the watch has ended in order; throws if it was ended with an error. */
  async #hasEnded(): Promise<boolean> {
    if (this.#stop.signal.aborted) return true;
    if (this.#signal?.aborted) throw abortedError("watch", this.#signal);
    if (!this.#source.stop.aborted) return false;
    const error = await this.#source.ended;
    if (error !== null) throw error;
    return true;
  }

  /** Yields the events of one connection. Throws what ended it. */
  async *#connect(signal: AbortSignal, onOpen: () => void): AsyncGenerator<MapEvent, void> {
    const handoff = new Handoff<WatchedEvent[]>();
    const greet = (connection: Connection, call: CallOptions) => this.#greet(connection, handoff, call);
    const { connection } = await establish(this.#source.link, greet, signal);
    const onAbort = () => connection.abort(abortedError("watch", signal));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    void connection.finished.then(() => handoff.end());
    onOpen();
    try {
      yield* this.#follow(handoff);
    } finally {
      signal.removeEventListener("abort", onAbort);
      connection.abort();
      await connection.finished;
    }
    throw connection.error ?? closedError("watch", "the connection was closed");
  }

  /** Sends the Hello and the Watch in one write. */
  async #greet(connection: Connection, handoff: Handoff<WatchedEvent[]>, call: CallOptions): Promise<Greeting> {
    const request: WatchRequest = {};
    if (this.#prefix !== "") request.prefix = this.#prefix;
    if (this.#position !== null) request.since = this.#position;
    const greeting = connection.hello(await this.#source.hello(), call);
    const watching = connection.watch(request, (events) => handoff.put(events), call);
    watching.catch(ignore);
    await greeting;
    await watching;
    return greeting;
  }

  /** Yields events until the connection ends. */
  async *#follow(handoff: Handoff<WatchedEvent[]>): AsyncGenerator<MapEvent, void> {
    for (let events = await handoff.take(); events !== null; events = await handoff.take()) {
      const time = Date.now();
      for (const event of events) {
        // The reader does not notice a return without a snapshot.
        const isHidden = event.kind === "synced" && !this.#isSnapshot && this.#wasSynced;
        this.#note(event);
        if (!isHidden) yield event.kind === "snapshot" ? { kind: "snapshot", time } : { ...event, time };
      }
    }
  }

  /** Tracks the position: the watch can continue after a snapshot only once that is complete. */
  #note(event: WatchedEvent): void {
    if (event.kind === "synced") {
      this.#position = { incarnation: event.incarnation, revision: event.revision };
      this.#wasSynced = true;
      this.#isSnapshot = false;
    } else if (event.kind === "snapshot") {
      this.#isSnapshot = true;
      this.#position = null;
    } else if (this.#position !== null) {
      this.#position.revision = event.revision;
    }
  }
}
