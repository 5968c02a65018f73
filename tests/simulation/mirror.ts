import type { WatchEvent } from "../../lib/wire/mod.ts";
import { applyStep, type History, type Present, summarize } from "./history.ts";

/** Something that a watcher was wrongly told, or not told. */
export class Violation extends Error {
  override name = "Violation";
}

type ChangeEvent = Exclude<WatchEvent, { kind: "snapshot" | "synced" | "pong" | "present" }>;

/**
 * A watcher's mirror of the map, beside the map as it was at the revision that the watcher has been told. Where they
 * differ, the client must have changed again since, so that the missing change is still to come. Once nothing more is
 * to come, the mirror must therefore equal the map.
 */
export class Mirror {
  readonly prefix: string;
  /** The map as the watcher knows it. */
  readonly map = new Map<string, Present>();
  /** Whether `synced` has come in the present watch. */
  isSynced = false;
  /** The revision up to which the watcher has been told. */
  revision = 0;
  /** The number of leaves it was told. */
  leaves = 0;
  /** The number of events it was told. */
  events = 0;
  /** The number of changes after `synced` that it was not told, because it read too slowly. */
  skipped = 0;
  readonly #history: History;
  /** The clients with its prefix as they were at revision `#at`. */
  #truth = new Map<string, Present>();
  #at = 0;
  /** The clients that differ between mirror and truth. */
  readonly #different = new Set<string>();
  /** Whether a snapshot is coming in: the mirror can be checked only at its end. */
  #isPartial = true;
  /** Whether the server has announced it. */
  #isAnnounced = false;
  /** The client that the last event was about. */
  #lastId = "";
  /** The revision from which every leave must be told; in a snapshot it is unknown until the first leave. */
  #leavesFrom: number | null = null;

  constructor(history: History, prefix = "") {
    this.#history = history;
    this.prefix = prefix;
  }

  /** Whether its snapshot is complete, so that a watch can resume from `revision`. */
  get isComplete(): boolean {
    return !this.#isPartial;
  }

  /** Starts over: the next events are a snapshot. */
  expectSnapshot(): void {
    this.#truth = new Map([...this.#history.map].filter(([id]) => id.startsWith(this.prefix)));
    this.#at = this.#history.revision;
    this.#startOver();
  }

  /** Forgets what the watcher knows. */
  #startOver(): void {
    this.map.clear();
    this.#different.clear();
    for (const id of this.#truth.keys()) this.#different.add(id);
    this.#isPartial = true;
    this.#isAnnounced = false;
    this.#leavesFrom = null;
    this.isSynced = false;
    this.revision = 0;
  }

  /** The next events continue from `revision`. */
  expectResume(): void {
    this.isSynced = false;
  }

  /** Applies a frame, and checks everything that can be checked. */
  takeFrame(events: readonly WatchEvent[]): void {
    if (events.length === 0) throw new Violation("a frame has no event");
    for (const event of events) this.#take(event);
    this.#checkDifferences();
  }

  /** Checks that the mirror equals the map; for when nothing more is to come. */
  requireExact(): void {
    if (!this.isSynced) throw new Violation("nothing more is to come, and synced did not come");
    this.#advance(this.#history.revision);
    this.#checkDifferences();
  }

  #take(event: WatchEvent): void {
    this.events++;
    if (event.kind === "snapshot") return this.#takeSnapshot();
    if (event.kind === "synced") return this.#takeSynced(event.revision);
    if (event.kind === "pong") return this.#takePong(event.revision);
    this.#require(event.id.startsWith(this.prefix), event, `does not have the prefix ${this.prefix}`);
    this.#require(event.revision <= this.#history.revision, event, "is from the future");
    if (event.kind === "present") this.#takePresent(event);
    else this.#takeTold(event);
  }

  #takeSnapshot(): void {
    if (this.isSynced) throw new Violation("a snapshot comes in the middle of a watch");
    // What the watcher knew may be too old to be continued.
    if (!this.#isPartial) this.#startOver();
    this.#isAnnounced = true;
  }

  /** A client comes again if it has changed since. */
  #takePresent(event: WatchEvent & { kind: "present" }): void {
    this.#require(this.#isPartial && this.#isAnnounced, event, "comes outside of a snapshot");
    this.#require(event.revision > this.revision, event, `comes after ${this.revision}`);
    const state = summarize(event.state);
    const step = this.#history.at(event.revision);
    this.#require(step.id === event.id, event, "has another client's revision");
    this.#require(step.state === state, event, "does not have the state of its revision");
    this.#require(step.status === event.status, event, "does not have the status of its revision");
    this.#countSkipped(event);
    this.revision = event.revision;
    this.#set(event.id, { state, status: event.status });
  }

  #takeTold(event: ChangeEvent): void {
    const step = this.#history.at(event.revision);
    // A state and a status that have both changed come together, at the revision of the later change.
    const isLater = event.revision > this.revision || event.revision === this.revision && event.id === this.#lastId;
    this.#require(isLater, event, `comes after ${this.revision}`);
    this.#require(step.id === event.id, event, `has the revision of ${step.id}`);
    if (event.kind === "leave") {
      this.#require(step.kind === "leave" && step.cause === event.cause, event, `was a ${step.kind} (${step.cause})`);
      this.leaves++;
    } else if (event.kind === "suspect" || event.kind === "resume") {
      this.#require(step.status === (event.kind === "suspect" ? "suspect" : "live"), event, `was ${step.status}`);
    } else {
      this.#takeState(event);
    }
    this.#countSkipped(event);
    this.revision = event.revision;
    this.#lastId = event.id;
    this.#apply(event);
    if (!this.#isPartial) this.#advance(event.revision);
  }

  /** A state may be newer than its revision; then it comes again later. */
  #takeState(event: ChangeEvent & { state: Uint8Array }): void {
    const state = summarize(event.state);
    const set = this.#history.stateRevisions.get(state) ?? 0;
    this.#require(this.#history.at(set).id === event.id, event, "has another client's state");
    const isLatest = set >= event.revision || this.#history.at(event.revision).state === state;
    this.#require(isLatest, event, `has the state of revision ${set}`);
  }

  /** Changes may be skipped, but no leave. */
  #countSkipped(event: ChangeEvent | WatchEvent & { kind: "present" }): void {
    if (event.kind === "leave") this.#leavesFrom ??= event.revision;
    if (this.#leavesFrom === null && this.#isPartial) return;
    for (let revision = Math.max(this.revision, this.#leavesFrom ?? 0) + 1; revision < event.revision; revision++) {
      const step = this.#history.at(revision);
      if (!step.id.startsWith(this.prefix)) continue;
      this.#require(step.kind !== "leave", event, `comes, but the leave of ${step.id} at ${revision} did not`);
      if (this.isSynced) this.skipped++;
    }
  }

  #takeSynced(revision: number): void {
    if (this.isSynced) throw new Violation(`synced ${revision} comes twice`);
    if (this.#isPartial && !this.#isAnnounced) throw new Violation(`synced ${revision} comes without a snapshot`);
    if (revision < this.revision) throw new Violation(`synced ${revision} comes after ${this.revision}`);
    this.#requireNoLeave(revision);
    this.isSynced = true;
    this.#isPartial = false;
    this.revision = revision;
    this.#leavesFrom ??= revision;
    this.#advance(revision);
    if (this.#different.size !== 0) throw new Violation(`synced ${revision}: ${this.#describe([...this.#different])}`);
  }

  /** A pong has the revision up to which everything has been told. */
  #takePong(revision: number): void {
    if (this.#isPartial) {
      if (revision > this.revision) throw new Violation(`pong ${revision} comes during a snapshot`);
      return;
    }
    if (revision < this.revision) throw new Violation(`pong ${revision} comes after ${this.revision}`);
    this.#requireNoLeave(revision);
    this.revision = revision;
    this.#advance(revision);
    this.#checkDifferences();
  }

  #requireNoLeave(revision: number): void {
    if (this.#leavesFrom === null && this.#isPartial) return;
    for (let missing = this.revision + 1; missing <= revision; missing++) {
      const step = this.#history.at(missing);
      if (step.kind !== "leave" || !step.id.startsWith(this.prefix)) continue;
      throw new Violation(`${revision} was told, but the leave of ${step.id} at ${missing} was not`);
    }
  }

  #apply(event: ChangeEvent): void {
    const known = this.map.get(event.id);
    if (event.kind === "leave") return this.#set(event.id, null);
    if (event.kind === "join") return this.#set(event.id, { state: summarize(event.state), status: "live" });
    if (known === undefined) {
      // During a snapshot the client can have changed and left before its turn came.
      return this.#require(this.#history.lastChangeOf(event.id) > event.revision, event, "is about an unknown client");
    }
    if (event.kind === "update") return this.#set(event.id, { ...known, state: summarize(event.state) });
    this.#set(event.id, { ...known, status: event.kind === "suspect" ? "suspect" : "live" });
  }

  #set(id: string, present: Present | null): void {
    if (present === null) this.map.delete(id);
    else this.map.set(id, present);
    this.#compare(id);
  }

  /** Advances the truth to a revision. */
  #advance(revision: number): void {
    for (; this.#at < revision; this.#at++) {
      const step = this.#history.at(this.#at + 1);
      if (!step.id.startsWith(this.prefix)) continue;
      applyStep(this.#truth, step);
      this.#compare(step.id);
    }
  }

  #compare(id: string): void {
    const [known, actual] = [this.map.get(id), this.#truth.get(id)];
    if (known?.state === actual?.state && known?.status === actual?.status) this.#different.delete(id);
    else this.#different.add(id);
  }

  #checkDifferences(): void {
    if (this.#isPartial) return;
    const wrong = [...this.#different].filter((id) => this.#history.lastChangeOf(id) <= this.#at);
    if (wrong.length !== 0) throw new Violation(`at revision ${this.#at}: ${this.#describe(wrong)}`);
  }

  #describe(ids: readonly string[]): string {
    const words = ids.slice(0, 3).map((id) => {
      const [known, actual] = [this.map.get(id), this.#truth.get(id)].map((one) => JSON.stringify(one) ?? "nothing");
      return `${id} is ${known} to the watcher and ${actual} in the map`;
    });
    return `${ids.length} clients differ; ${words.join("; ")}`;
  }

  #require(isValid: boolean, event: ChangeEvent | WatchEvent & { kind: "present" }, why: string): void {
    if (!isValid) throw new Violation(`${event.kind} ${event.id} at ${event.revision} ${why}`);
  }
}
