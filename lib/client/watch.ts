/**
 * Being told of every change of the map.
 *
 * @module
 */

import type { Backoff } from "./backoff.ts";
import { abortedError, brokenError, type CallOptions, closedError } from "./calls.ts";
import type { Connection } from "./connection.ts";
import type { WatchedEvent } from "./reply_reader.ts";
import { ignore } from "../base/async.ts";
import { TrackerError } from "../errors.ts";
import { establish, type EstablishOptions } from "./establish.ts";
import type { Greeting, HelloRequest, Position, WatchRequest } from "../wire/requests.ts";

/**
 * What a {@linkcode Watch} tells.
 *
 * A watch begins with a snapshot: `snapshot`, a `present` for each client, `synced`. From then on it tells each change
 * as it happens. A snapshot may come again, after a connection was lost and the server could not say what had changed
 * meanwhile: it was started anew, or too much has happened. All that was told before a `snapshot` is then void: whoever
 * is not among the `present` of the new one has left.
 *
 * | kind | meaning |
 * |---|---|
 * | `snapshot` | the whole map follows; forget what you know |
 * | `present` | a client of the snapshot |
 * | `synced` | the snapshot is complete; what follows happens now |
 * | `join`, `update`, `suspect`, `resume`, `leave` | a change |
 *
 * A reader that is slower than the map changes skips states of a client, never the latest one and never a leave. So a
 * `leave` may be of a client that was never seen.
 */
export type MapEvent = WatchedEvent | { kind: "snapshot" };

/** What a watch can be told. */
export interface WatchOptions {
  /** Only clients whose identifier begins with this. */
  prefix?: string;
  /**
   * Where an earlier watch ended, as its {@linkcode Watch.position} says. Then what has changed since is told, and
   * `synced`; or a snapshot, if the server cannot say.
   */
  since?: Position;
  /** Ends the watch when aborted: it throws ABORTED. Leaving the loop ends it without a word. */
  signal?: AbortSignal;
  /**
   * Called with `null` when the watch has connected, and with the reason when its connection was lost or could not be
   * made, whether it is to be tried again or not. It must not throw.
   */
  onConnection?: (error: TrackerError | null) => void;
}

/** @internal What a watch needs of its client. */
export interface WatchSource {
  readonly link: EstablishOptions;
  /** What to greet with. */
  readonly hello: HelloRequest;
  /** Whether the extensions can be used at all. */
  readonly isExtended: boolean;
  readonly backoff: () => Backoff;
  /** Aborted when the client ends. */
  readonly stop: AbortSignal;
  /** Resolves when the client has ended, to what ended it; `null` when it was closed in order. */
  readonly ended: Promise<TrackerError | null>;
}

/**
 * A watch of the map, to be read with `for await`. It connects when it is read first, with a connection of its own. If
 * its client reconnects so does the watch, and goes on where it was: nothing is told twice, nothing left out.
 *
 * Nothing gathers in memory while the reader is busy with an event: the server waits.
 */
export class Watch implements AsyncIterableIterator<MapEvent>, AsyncDisposable {
  readonly #source: WatchSource;
  readonly #prefix: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onConnection: ((error: TrackerError | null) => void) | undefined;
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<MapEvent, void>;
  #position: Position | null;
  #synced = false;

  /** @internal `Client.watch` makes it. */
  constructor(source: WatchSource, options: WatchOptions) {
    this.#source = source;
    this.#prefix = options.prefix ?? "";
    this.#signal = options.signal;
    this.#onConnection = options.onConnection;
    this.#position = options.since === undefined ? null : { ...options.since };
    this.#events = this.#run();
  }

  /** How far the watch has come: the place to go on from, `since`, in another one. `null` before `synced`. */
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
   * Ends the watch, also when an event is waited for. Doing it again is safe.
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

  async *#run(): AsyncGenerator<MapEvent, void> {
    if (!this.#source.isExtended) {
      throw new TrackerError("BAD_ARGUMENT", "Cannot watch: the client did not begin with a Hello");
    }
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

  /** Waits until it is time to connect again, unless the watch has ended. */
  async #isOver(error: TrackerError, backoff: Backoff, signal: AbortSignal): Promise<boolean> {
    try {
      await backoff.pause(error, signal);
      return false;
    } catch (error) {
      if (await this.#wasEnded()) return true;
      throw error;
    }
  }

  /** Whether the watch is to end without a word; throws when it is to end with one. */
  async #wasEnded(): Promise<boolean> {
    if (this.#stop.signal.aborted) return true;
    if (this.#signal?.aborted) throw abortedError("watch", this.#signal);
    if (!this.#source.stop.aborted) return false;
    const error = await this.#source.ended;
    if (error !== null) throw error;
    return true;
  }

  /** Everything that one connection tells. Throws what ended it, and returns when there must be another at once. */
  async *#connect(signal: AbortSignal, onOpen: () => void): AsyncGenerator<MapEvent, void> {
    const slot = new Slot();
    const greet = (connection: Connection, call: CallOptions) => this.#greet(connection, slot, call);
    const { connection, greeting } = await establish(this.#source.link, greet, signal);
    const onAbort = () => connection.abort(abortedError("watch", signal));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    void connection.finished.then(() => slot.end());
    onOpen();
    try {
      if (yield* this.#tell(slot, greeting?.incarnation)) return;
    } finally {
      signal.removeEventListener("abort", onAbort);
      connection.abort();
      await connection.finished;
    }
    throw connection.error ?? closedError("watch", "the connection was closed");
  }

  async #greet(connection: Connection, slot: Slot, call: CallOptions): Promise<Greeting> {
    const request: WatchRequest = {};
    if (this.#prefix !== "") request.prefix = this.#prefix;
    if (this.#position !== null) request.since = this.#position;
    const greeting = connection.hello(this.#source.hello, call);
    const watching = connection.watch(request, (events) => slot.put(events), call);
    watching.catch(ignore);
    await greeting;
    await watching;
    return greeting;
  }

  /** Returns whether the server must be asked again, for a snapshot. */
  async *#tell(slot: Slot, incarnation: string | undefined): AsyncGenerator<MapEvent, boolean> {
    // Of another life of the server no place is known.
    let phase: Phase = this.#position?.incarnation === incarnation ? "returning" : "snapshot";
    if (phase === "snapshot") yield { kind: "snapshot" };
    for (let events = await slot.take(); events !== null; events = await slot.take()) {
      for (const event of events) {
        if (phase === "returning") {
          phase = this.#phaseOf(event);
          if (phase === "returning") return true;
          if (phase === "snapshot") yield { kind: "snapshot" };
        }
        // To whoever reads, a return without a snapshot does not show.
        const isHidden = event.kind === "synced" && phase === "changes" && this.#synced;
        this.#note(event, phase === "snapshot");
        if (event.kind === "synced") phase = "changes";
        if (!isHidden) yield event;
      }
    }
    return false;
  }

  /**
   * What the first event after a return begins. If it is `synced` at once, either nothing has happened or the map is
   * empty, and revisions tell: a change of the whole map would have been told. With a prefix the changes may have been
   * others': there is no telling, and the watch must begin anew.
   */
  #phaseOf(event: WatchedEvent): Phase {
    if (event.kind === "present") return "snapshot";
    if (event.kind !== "synced" || event.revision === this.#position?.revision) return "changes";
    if (this.#prefix === "") return "snapshot";
    this.#position = null;
    return "returning";
  }

  /** Keeps account of how far it has come: a snapshot is a place to go on from only when it is complete. */
  #note(event: WatchedEvent, isSnapshot: boolean): void {
    if (event.kind === "synced") {
      this.#position = { incarnation: event.incarnation, revision: event.revision };
      this.#synced = true;
    } else if (isSnapshot) {
      this.#position = null;
    } else if (this.#position !== null) {
      this.#position.revision = event.revision;
    }
  }
}

/** Where a connection's events are: it has come back and not said yet what it tells, or it tells this. */
type Phase = "returning" | "snapshot" | "changes";

/** Hands over events, one batch at a time: whoever puts waits until the one before is taken. */
class Slot {
  #events: WatchedEvent[] | null = null;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  async put(events: WatchedEvent[]): Promise<void> {
    this.#events = events;
    this.#announce();
    while (this.#events === events && !this.#ended) await this.#changed.promise;
  }

  /** `null` when nothing more comes. */
  async take(): Promise<WatchedEvent[] | null> {
    while (this.#events === null && !this.#ended) await this.#changed.promise;
    const events = this.#events;
    this.#events = null;
    this.#announce();
    return events;
  }

  end(): void {
    this.#ended = true;
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
