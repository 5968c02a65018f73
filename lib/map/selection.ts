/**
 * Some of the clients of a snapshot, for a reader that takes its time.
 *
 * @module
 */

import type { Status } from "../protocol.ts";
import type { FlatMap } from "./flat_map.ts";
import type { IdIndex } from "./id_index.ts";
import type { Scan } from "./scan.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Version } from "./version.ts";

/** Most clients that are written down: finding and sorting them takes well under a millisecond, and 32 KiB. */
const PLANNED_CLIENTS = 4_096;

/** Most clients on a page: what it takes to write them down is bounded, however long a page is asked for. */
const MAX_PAGE = 65_536;

/** How many identifiers of a page are looked at in a step. */
const STEP_IDENTIFIERS = 4_096;

/** Which clients are selected. */
export interface Choice {
  /** Those whose identifier begins with this. */
  readonly prefix: string;
  /** Those of this status; of any unless given. */
  readonly status?: Status | undefined;
  /** For a page: those whose identifier comes after this. */
  readonly after?: string | undefined;
  /** For a page: its length. */
  readonly limit?: number | undefined;
}

/** How much has been selected. */
export interface Measure {
  /** The number of clients. */
  readonly count: number;
  /** Total length of their identifiers and states, in bytes. */
  readonly bytes: number;
}

/** Clients that are read in steps, as they were at one revision: in order of opening, or a page in order of identifier. */
export abstract class Selection {
  readonly #snapshots: Snapshots;
  protected readonly scan: Scan;

  constructor(snapshots: Snapshots, scan: Scan) {
    this.#snapshots = snapshots;
    this.scan = scan;
  }

  /** The revision at which they were as they are read. */
  get revision(): number {
    return this.scan.snapshot.revision;
  }

  /** Whether all have been read. */
  abstract get isAtEnd(): boolean;

  /** Measures them; `null` if that takes another step. */
  abstract measure(): Measure | null;

  /** Finds the next; `null` after the last, and if that takes another step. */
  abstract next(): Version | null;

  /** Finds the one found last again: after a change it may be another object. */
  abstract current(): Version | null;

  /**
   * Begins a step. The map may have changed since the last, but must not during one.
   *
   * @throws {TrackerError} SLOW_CONSUMER if the snapshot was cut
   */
  resume(): void {
    this.scan.snapshot.check();
    this.#snapshots.sweep();
    this.scan.resume();
  }

  /** Gives up the snapshot. */
  release(): void {
    this.#snapshots.release(this.scan.snapshot);
  }
}

/** A selection of so few that it can be written down: the revisions at which they joined, in order. */
class PlannedSelection extends Selection {
  readonly #plan: Float64Array;
  readonly #measure: Measure;
  #at = 0;

  constructor(snapshots: Snapshots, scan: Scan, plan: Float64Array, measure: Measure) {
    super(snapshots, scan);
    this.#plan = plan;
    this.#measure = measure;
  }

  override get isAtEnd(): boolean {
    return this.#at === this.#plan.length;
  }

  override measure(): Measure {
    return this.#measure;
  }

  override next(): Version | null {
    const joinRevision = this.#plan[this.#at];
    if (joinRevision === undefined) return null;
    this.#at++;
    return this.scan.find(joinRevision);
  }

  override current(): Version | null {
    return this.scan.find(this.#plan[this.#at - 1] ?? 0);
  }
}

/** A selection of many: all clients are looked at, twice unless it is measured already. */
class ScannedSelection extends Selection {
  readonly #choice: Choice;
  #measure: Measure | null;
  #count = 0;
  #bytes = 0;

  constructor(snapshots: Snapshots, scan: Scan, choice: Choice, measure: Measure | null) {
    super(snapshots, scan);
    this.#choice = choice;
    this.#measure = measure;
  }

  override get isAtEnd(): boolean {
    return this.scan.isAtEnd;
  }

  override measure(): Measure | null {
    if (this.#measure !== null) return this.#measure;
    for (let version = this.next(); version !== null; version = this.next()) {
      this.#count++;
      this.#bytes += version.idLength + version.stateLength;
    }
    if (!this.scan.isAtEnd) return null;
    this.scan.rewind();
    return this.#measure = { count: this.#count, bytes: this.#bytes };
  }

  override next(): Version | null {
    for (let version = this.scan.next(); version !== null; version = this.scan.next()) {
      if (version.id.startsWith(this.#choice.prefix) && hasStatus(version, this.#choice)) return version;
    }
    return null;
  }

  override current(): Version | null {
    return this.scan.current();
  }
}

/** A page, in order of identifier. It is planned in steps; what joins meanwhile is on no page of this snapshot. */
class PageSelection extends Selection {
  readonly #ids: IdIndex;
  readonly #choice: Choice;
  readonly #limit: number;
  /** The revisions at which its clients joined. */
  readonly #plan: number[] = [];
  #after: string | undefined;
  #bytes = 0;
  #isPlanned = false;
  #at = 0;

  constructor(snapshots: Snapshots, scan: Scan, ids: IdIndex, choice: Choice) {
    super(snapshots, scan);
    this.#ids = ids;
    this.#choice = choice;
    this.#limit = Math.min(choice.limit ?? MAX_PAGE, MAX_PAGE);
    this.#after = choice.after;
  }

  override get isAtEnd(): boolean {
    return this.#isPlanned && this.#at === this.#plan.length;
  }

  override measure(): Measure | null {
    if (!this.#isPlanned) this.#planStep();
    return this.#isPlanned ? { count: this.#plan.length, bytes: this.#bytes } : null;
  }

  override next(): Version | null {
    const joinRevision = this.#plan[this.#at];
    if (joinRevision === undefined) return null;
    this.#at++;
    return this.scan.find(joinRevision);
  }

  override current(): Version | null {
    return this.scan.find(this.#plan[this.#at - 1] ?? 0);
  }

  #planStep(): void {
    let looked = 0;
    for (const { id, joinRevision } of this.#ids.with(this.#choice.prefix, this.#after)) {
      if (this.#plan.length >= this.#limit) break;
      if (looked++ === STEP_IDENTIFIERS) return;
      this.#after = id;
      const version = this.scan.find(joinRevision);
      if (version === null || !hasStatus(version, this.#choice)) continue;
      this.#plan.push(joinRevision);
      this.#bytes += version.idLength + version.stateLength;
    }
    this.#isPlanned = true;
  }
}

function hasStatus({ status }: Version, choice: Choice): boolean {
  return choice.status === undefined || status === choice.status;
}

/**
 * Selects clients of the map as it is now.
 *
 * @param map The map
 * @param ids Its identifiers
 * @param choice Which clients
 * @param revision The present revision
 * @returns The selection, which must be released
 */
export function select(map: FlatMap, ids: IdIndex, choice: Choice, revision: number): Selection {
  const { snapshots } = map;
  const count = ids.count(choice.prefix);
  const scan = map.scan(snapshots.take(revision));
  if (choice.after !== undefined || choice.limit !== undefined) return new PageSelection(snapshots, scan, ids, choice);
  if (count > PLANNED_CLIENTS || count === map.size) {
    const isAll = count === map.size && choice.status === undefined;
    return new ScannedSelection(snapshots, scan, choice, isAll ? { count, bytes: map.contentBytes } : null);
  }
  return planSelection(snapshots, scan, ids, choice);
}

function planSelection(snapshots: Snapshots, scan: Scan, ids: IdIndex, choice: Choice): Selection {
  const plan: number[] = [];
  let bytes = 0;
  for (const entry of ids.with(choice.prefix)) {
    if (!hasStatus(entry, choice)) continue;
    plan.push(entry.joinRevision);
    bytes += entry.idLength + entry.stateLength;
  }
  return new PlannedSelection(snapshots, scan, Float64Array.from(plan).sort(), { count: plan.length, bytes });
}
