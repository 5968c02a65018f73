import type { WatchEvent } from "../../mod.ts";
import { applyStep, type History, type Present, summarize } from "./history.ts";

/** Something that a watcher was told, or was not told, and that must not be. */
export class Violation extends Error {
  override name = "Violation";
}

type Told = Exclude<WatchEvent, { kind: "synced" | "pong" | "present" }>;

/**
 * A watcher's mirror of the map, next to the map as it was at the revision that the watcher has been told. Where the
 * two differ, the client must have changed again since: then what is missing is still to come. Of a watcher to which
 * nothing more is to come this makes its mirror equal to the map.
 */
export class Mirror {
  readonly prefix: string;
  /** What the watcher has made of what it was told. */
  readonly map = new Map<string, Present>();
  /** Whether a `synced` has come, and nothing that would make it void. */
  synced = false;
  /** The revision up to which it has been told. */
  revision = 0;
  /** How many leaves it was told. */
  leaves = 0;
  /** How many events it was told. */
  events = 0;
  /** How many revisions of its clients it was not told after `synced`: it read too slowly for them. */
  skipped = 0;
  readonly #history: History;
  /** The map at `#at`, as far as the prefix goes. */
  #truth = new Map<string, Present>();
  #at = 0;
  /** The clients of which mirror and truth say different things. */
  readonly #different = new Set<string>();
  /** While a snapshot comes in: nothing can be said of the mirror but at its end. */
  #isPartial = true;
  /** Whether every leave must be told from `#leavesFrom` on. In a snapshot that is not known before the first of them. */
  #leavesFrom: number | null = null;

  constructor(history: History, prefix = "") {
    this.#history = history;
    this.prefix = prefix;
  }

  /** Whether it can go on from `revision`: it has had its snapshot. */
  get begun(): boolean {
    return !this.#isPartial;
  }

  /** Forgets everything: what comes next is a snapshot. */
  expectSnapshot(): void {
    this.map.clear();
    this.#different.clear();
    this.#truth = new Map([...this.#history.map].filter(([id]) => id.startsWith(this.prefix)));
    this.#at = this.#history.revision;
    for (const id of this.#truth.keys()) this.#different.add(id);
    this.#isPartial = true;
    this.#leavesFrom = null;
    this.synced = false;
    this.revision = 0;
  }

  /** What comes next begins where the last event was. */
  expectResume(): void {
    this.synced = false;
  }

  /** Takes a frame in, and checks everything that can be checked. */
  takeFrame(events: readonly WatchEvent[]): void {
    if (events.length === 0) throw new Violation("a frame has no event");
    for (const event of events) this.#take(event);
    this.#checkDifferences();
  }

  /** To be called when nothing more is to come: the mirror must be the map. */
  requireExact(): void {
    if (!this.synced) throw new Violation("nothing more comes, and synced has not come");
    this.#advance(this.#history.revision);
    this.#checkDifferences();
  }

  #take(event: WatchEvent): void {
    this.events++;
    if (event.kind === "synced") return this.#takeSynced(event.revision);
    if (event.kind === "pong") return this.#takePong(event.revision);
    this.#require(event.id.startsWith(this.prefix), event, `is not of the prefix ${this.prefix}`);
    this.#require(event.revision <= this.#history.revision, event, `is from the future`);
    if (event.kind === "present") this.#takePresent(event);
    else this.#takeTold(event);
  }

  #takePresent(event: WatchEvent & { kind: "present" }): void {
    this.#require(this.#isPartial && this.revision === 0, event, "does not belong into a snapshot");
    this.#require(!this.map.has(event.id), event, "comes twice");
    const state = summarize(event.state);
    this.#require(this.#history.at(event.revision).id === event.id, event, "has the revision of another client");
    this.#require(this.#history.at(event.revision).state === state, event, "has not the state of its revision");
    this.#require(
      this.#history.at(event.revision).status === event.status,
      event,
      "has not the status of its revision",
    );
    this.#set(event.id, { state, status: event.status });
  }

  #takeTold(event: Told): void {
    const step = this.#history.at(event.revision);
    this.#require(event.revision > this.revision, event, `comes after ${this.revision}`);
    this.#require(step.id === event.id, event, `has the revision of ${step.id}`);
    if (event.kind === "leave") {
      this.#require(step.kind === "leave" && step.cause === event.cause, event, `was a ${step.kind} (${step.cause})`);
      this.leaves++;
    } else if (event.kind === "suspect" || event.kind === "resume") {
      this.#require(step.kind === event.kind, event, `was a ${step.kind}`);
    } else {
      this.#takeState(event);
    }
    this.#countSkipped(event);
    this.revision = event.revision;
    this.#apply(event);
    if (!this.#isPartial) this.#advance(event.revision);
  }

  /** A state may be newer than its revision: then it comes once more. */
  #takeState(event: Told & { state: Uint8Array }): void {
    const set = this.#history.stateRevisions.get(summarize(event.state)) ?? 0;
    this.#require(set >= event.revision, event, `has the state of revision ${set}`);
    this.#require(this.#history.at(set).id === event.id, event, "has another client's state");
  }

  /** Whatever it is not told, no leave may be among it. */
  #countSkipped(event: Told): void {
    if (event.kind === "leave") this.#leavesFrom ??= event.revision;
    if (this.#leavesFrom === null && this.#isPartial) return;
    for (let revision = Math.max(this.revision, this.#leavesFrom ?? 0) + 1; revision < event.revision; revision++) {
      const step = this.#history.at(revision);
      if (!step.id.startsWith(this.prefix)) continue;
      this.#require(step.kind !== "leave", event, `comes, and the leave of ${step.id} at ${revision} did not`);
      if (this.synced) this.skipped++;
    }
  }

  #takeSynced(revision: number): void {
    if (this.synced) throw new Violation(`synced ${revision} comes twice`);
    if (revision < this.revision) throw new Violation(`synced ${revision} comes after ${this.revision}`);
    this.#requireNoLeave(revision);
    this.synced = true;
    this.#isPartial = false;
    this.revision = revision;
    this.#leavesFrom ??= revision;
    this.#advance(revision);
    if (this.#different.size !== 0) throw new Violation(`synced ${revision}: ${this.#describe([...this.#different])}`);
  }

  /** A pong says up to where everything has been told. */
  #takePong(revision: number): void {
    if (this.#isPartial) {
      if (revision > this.revision) throw new Violation(`pong ${revision} comes in the middle of a snapshot`);
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
      throw new Violation(`${revision} is told, and the leave of ${step.id} at ${missing} was not`);
    }
  }

  #apply(event: Told): void {
    const known = this.map.get(event.id);
    if (event.kind === "leave") return this.#set(event.id, null);
    if (event.kind === "join") return this.#set(event.id, { state: summarize(event.state), status: "live" });
    if (known === undefined) {
      // In the middle of a snapshot the client can have changed and left before the snapshot came to it.
      return this.#require(this.#history.lastChangeOf(event.id) > event.revision, event, "is of an unknown client");
    }
    if (event.kind === "update") return this.#set(event.id, { ...known, state: summarize(event.state) });
    this.#set(event.id, { ...known, status: event.kind === "suspect" ? "suspect" : "live" });
  }

  #set(id: string, present: Present | null): void {
    if (present === null) this.map.delete(id);
    else this.map.set(id, present);
    this.#compare(id);
  }

  /** Brings the truth to a revision. */
  #advance(revision: number): void {
    for (; this.#at < revision; this.#at++) {
      const step = this.#history.at(this.#at + 1);
      if (!step.id.startsWith(this.prefix)) continue;
      applyStep(this.#truth, step);
      this.#compare(step.id);
    }
  }

  #compare(id: string): void {
    const [mine, true_] = [this.map.get(id), this.#truth.get(id)];
    if (mine?.state === true_?.state && mine?.status === true_?.status) this.#different.delete(id);
    else this.#different.add(id);
  }

  #checkDifferences(): void {
    if (this.#isPartial) return;
    const wrong = [...this.#different].filter((id) => this.#history.lastChangeOf(id) <= this.#at);
    if (wrong.length !== 0) throw new Violation(`at revision ${this.#at}: ${this.#describe(wrong)}`);
  }

  #describe(ids: readonly string[]): string {
    const words = ids.slice(0, 3).map((id) => {
      const [mine, true_] = [this.map.get(id), this.#truth.get(id)].map((one) => JSON.stringify(one) ?? "nothing");
      return `of ${id} the watcher has ${mine}, the map ${true_}`;
    });
    return `${ids.length} clients differ; ${words.join("; ")}`;
  }

  #require(isRight: boolean, event: Told | WatchEvent & { kind: "present" }, why: string): void {
    if (!isRight) throw new Violation(`${event.kind} ${event.id} at ${event.revision} ${why}`);
  }
}
