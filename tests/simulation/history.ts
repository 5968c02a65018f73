import type { Change, LeaveCause, Registry, Status } from "../../mod.ts";
import { textOf } from "../support/bytes.ts";

/** A change of the map, as the registry reported it. */
export interface Step {
  readonly revision: number;
  readonly kind: Change["kind"];
  readonly id: string;
  /** The client's state after the change, in short. */
  readonly state: string;
  readonly status: Status;
  readonly cause: LeaveCause | null;
}

/** A client in the map. */
export interface Present {
  readonly state: string;
  readonly status: Status;
}

/** Shortens a state: a long one to its beginning, its length and a checksum. */
export function summarize(state: Uint8Array): string {
  if (state.length <= 32) return textOf(state);
  let sum = 0;
  for (const byte of state) sum = (sum * 31 + byte) >>> 0;
  return `${textOf(state.subarray(0, 16))}… (${state.length} bytes, ${sum})`;
}

/** Everything that has happened to a map, from its first change on: the truth that watchers are checked against. */
export class History {
  readonly steps: Step[] = [];
  /** The revisions at which states were set. The simulation sets no state twice. */
  readonly stateRevisions = new Map<string, number>();
  /** The present map. */
  readonly map = new Map<string, Present>();
  readonly #lastChanges = new Map<string, number>();

  /** @param registry The map, before its first change */
  constructor(registry: Registry) {
    registry.subscribe((change) => this.#add(change));
  }

  get revision(): number {
    return this.steps.length;
  }

  /** The change that made a revision. */
  at(revision: number): Step {
    const step = this.steps[revision - 1];
    if (step === undefined) throw new Error(`revision ${revision} is not between 1 and ${this.revision}`);
    return step;
  }

  /** The revision of a client's last change; 0 if it has none. */
  lastChangeOf(id: string): number {
    return this.#lastChanges.get(id) ?? 0;
  }

  #add({ kind, entry, revision, cause }: Change): void {
    if (revision !== this.revision + 1) throw new Error(`revision ${revision} follows ${this.revision}`);
    const { id, status } = entry;
    const step: Step = { revision, kind, id, state: summarize(entry.state), status, cause: cause ?? null };
    this.steps.push(step);
    this.#lastChanges.set(step.id, revision);
    applyStep(this.map, step);
    if (kind === "join" || kind === "update") this.stateRevisions.set(step.state, revision);
  }
}

/** Applies a change to a map. */
export function applyStep(map: Map<string, Present>, { kind, id, state, status }: Step): void {
  if (kind === "leave") map.delete(id);
  else map.set(id, { state, status });
}
