/**
 * The clients of a snapshot whose identifier begins with a prefix, for a reader that takes its time.
 *
 * @module
 */

import type { FlatMap } from "./flat_map.ts";
import type { IdIndex } from "./id_index.ts";
import type { Scan } from "./scan.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Version } from "./version.ts";

/** Most clients that are written down: finding and sorting them takes well under a millisecond, and 32 KiB. */
const PLANNED_CLIENTS = 4_096;

/** How much has been selected. */
export interface Measure {
  /** The number of clients. */
  readonly count: number;
  /** Total length of their identifiers and states, in bytes. */
  readonly bytes: number;
}

/** Clients that are read in steps, in order of opening, as they were at one revision. */
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
  readonly #prefix: string;
  #measure: Measure | null;
  #count = 0;
  #bytes = 0;

  constructor(snapshots: Snapshots, scan: Scan, prefix: string, measure: Measure | null) {
    super(snapshots, scan);
    this.#prefix = prefix;
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
      if (version.id.startsWith(this.#prefix)) return version;
    }
    return null;
  }

  override current(): Version | null {
    return this.scan.current();
  }
}

/**
 * Selects clients of the map as it is now.
 *
 * @param map The map
 * @param ids Its identifiers
 * @param prefix What the identifiers begin with
 * @param revision The present revision
 * @returns The selection, which must be released
 */
export function select(map: FlatMap, ids: IdIndex, prefix: string, revision: number): Selection {
  const { snapshots } = map;
  const count = ids.count(prefix);
  const scan = map.scan(snapshots.take(revision));
  if (count === map.size) return new ScannedSelection(snapshots, scan, "", { count, bytes: map.contentBytes });
  if (count > PLANNED_CLIENTS) return new ScannedSelection(snapshots, scan, prefix, null);
  const plan = new Float64Array(count);
  let at = 0;
  let bytes = 0;
  for (const entry of ids.with(prefix)) {
    plan[at++] = entry.joinRevision;
    bytes += entry.idLength + entry.stateLength;
  }
  return new PlannedSelection(snapshots, scan, plan.sort(), { count, bytes });
}
