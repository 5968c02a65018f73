/**
 * The loop: makes inputs, checks them, and makes more out of those that showed something new.
 *
 * @module
 */

import { Random } from "../support/random.ts";
import { CORPUS, keep, readCorpus } from "./corpus.ts";
import type { Coverage } from "./coverage.ts";
import { type Failure, failureOf, minimise } from "./minimise.ts";
import type { Target } from "./target.ts";

/** What a run is to do. */
export interface Plan {
  /** What random numbers begin with: the same for the same inputs. */
  readonly seed: number;
  /** How long it may take, in seconds; what is in the corpus is tried however long that takes. */
  readonly seconds: number;
  /** Most inputs, besides those of the corpus. */
  readonly inputs: number;
  /** Says which inputs reach new places of the code. */
  readonly coverage?: Coverage;
  /** Where the corpus lies. */
  readonly corpus?: URL;
  /** Stops before the time is over. */
  readonly signal?: AbortSignal;
  /** Told several times a second. */
  readonly onProgress?: (outcome: Outcome) => void;
}

/** An input that has done something wrong. */
export interface Finding extends Failure {
  /** Its file in the corpus. */
  readonly file: string;
}

/** What came of a run. */
export interface Outcome {
  readonly target: string;
  /** Inputs checked. */
  inputs: number;
  /** How long that took. */
  seconds: number;
  /** How many different things were seen to happen. */
  behaviours: number;
  /** How many blocks of code have run; `null` when nobody looked. */
  blocks: number | null;
  /** Inputs in the corpus, when it began. */
  corpus: number;
  readonly findings: Finding[];
}

/** Inputs between two looks at what they have reached, at first and at most: a look costs a millisecond. */
const BATCH = { least: 64, most: 4_096 } as const;

/** Most inputs that are kept to make others from; behind that a new one takes the place of an old one. */
const MOST_KEPT = 2_000;

/** Most behaviours told apart: the fuzzer's own memory is bounded too. */
const MOST_BEHAVIOURS = 100_000;

/** More kinds of failure than that at once are not worth the time to look for. */
const MOST_FINDINGS = 10;

/** How long one input may take, in milliseconds: all are small. */
const SLOWEST = 2_000;

/** How often a kept input is changed instead of making one from nothing. */
const MUTATION_SHARE = 0.5;

/** Tries a target until the time is over. */
export async function fuzz(target: Target, plan: Plan): Promise<Outcome> {
  return await new Fuzzer(target, plan).run();
}

class Fuzzer {
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #outcome: Outcome;
  readonly #start = performance.now();
  readonly #pool: unknown[] = [];
  readonly #seen = new Set<string | number>();
  readonly #broken = new Set<string>();
  /** Whether the input being checked has shown something new. */
  #isNew = false;

  constructor(target: Target, plan: Plan) {
    this.#target = target;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    const blocks = plan.coverage === undefined ? null : 0;
    this.#outcome = { target: target.name, inputs: 0, seconds: 0, behaviours: 0, blocks, corpus: 0, findings: [] };
  }

  async run(): Promise<Outcome> {
    await this.#replay();
    const { inputs } = this.#plan;
    const most = this.#outcome.inputs + inputs;
    for (let size: number = BATCH.least; this.#hasTime && this.#outcome.inputs < most;) {
      const batch = await this.#runBatch(Math.min(size, most - this.#outcome.inputs));
      const isFruitful = await this.#keepReaching(batch);
      size = isFruitful ? BATCH.least : Math.min(BATCH.most, size * 2);
      this.#tell();
    }
    this.#tell();
    return this.#outcome;
  }

  get #hasTime(): boolean {
    const { seconds, signal } = this.#plan;
    const isOver = performance.now() - this.#start >= seconds * 1_000 || signal?.aborted === true;
    return !isOver && this.#broken.size < MOST_FINDINGS;
  }

  #tell(): void {
    const outcome = this.#outcome;
    outcome.seconds = (performance.now() - this.#start) / 1_000;
    outcome.behaviours = this.#seen.size;
    outcome.blocks = this.#plan.coverage?.size ?? null;
    this.#plan.onProgress?.(outcome);
  }

  /** Tries what is in the corpus, which also is what new inputs are made from. */
  async #replay(): Promise<void> {
    const corpus = await readCorpus(this.#target, this.#plan.corpus);
    this.#outcome.corpus = corpus.length;
    for (const { name, input } of corpus) {
      const failure = await this.#check(input);
      if (failure === null) this.#pool.push(input);
      else this.#outcome.findings.push({ ...failure, file: name });
    }
    await this.#plan.coverage?.take();
  }

  async #runBatch(size: number): Promise<unknown[]> {
    const batch: unknown[] = [];
    // The clock is looked at now and then only: some checks take a few microseconds.
    while (batch.length < size && (batch.length % BATCH.least !== 0 || this.#hasTime)) {
      const input = this.#make();
      batch.push(input);
      const failure = await this.#check(input);
      if (failure !== null) await this.#report(input, failure);
      else if (this.#isNew) this.#keepInPool(input);
    }
    // Whoever wants to stop it, and timers of what is tested, get a turn.
    await new Promise((resolve) => setTimeout(resolve));
    return batch;
  }

  #make(): unknown {
    const random = this.#random;
    const isMutation = this.#pool.length !== 0 && random.next() < MUTATION_SHARE;
    return isMutation ? this.#target.mutate(random.pick(this.#pool), random) : this.#target.generate(random);
  }

  async #check(input: unknown): Promise<Failure | null> {
    this.#outcome.inputs++;
    this.#isNew = false;
    const start = performance.now();
    const failure = await failureOf(this.#target, input, this.#note);
    const time = performance.now() - start;
    if (failure !== null || time < SLOWEST) return failure;
    return { rule: "an input is dealt with in time", error: new Error(`${Math.round(time)} ms`) };
  }

  readonly #note = (behaviour: string | number): void => {
    if (this.#seen.has(behaviour) || this.#seen.size >= MOST_BEHAVIOURS) return;
    this.#seen.add(behaviour);
    this.#isNew = true;
  };

  #keepInPool(input: unknown): void {
    if (this.#pool.length < MOST_KEPT) this.#pool.push(input);
    else this.#pool[this.#random.integer(0, MOST_KEPT - 1)] = input;
  }

  /** Looks for an input of the batch that has reached what none before has, by halves. */
  async #keepReaching(batch: readonly unknown[]): Promise<boolean> {
    const { coverage } = this.#plan;
    const fresh = await coverage?.take();
    if (coverage === undefined || fresh === undefined || fresh.size === 0) return false;
    let part = batch;
    while (part.length > 1) {
      const half = part.slice(0, part.length >> 1);
      for (const input of half) await failureOf(this.#target, input);
      part = await coverage.reaches(fresh) ? half : part.slice(half.length);
    }
    for (const input of part) this.#keepInPool(input);
    return true;
  }

  async #report(input: unknown, failure: Failure): Promise<void> {
    if (this.#broken.has(failure.rule)) return;
    this.#broken.add(failure.rule);
    const simplest = await minimise(this.#target, input, failure.rule);
    const { error } = await failureOf(this.#target, simplest) ?? failure;
    const file = await keep(this.#target, simplest, failure.rule, this.#plan.corpus ?? CORPUS);
    this.#outcome.findings.push({ rule: failure.rule, error, file });
  }
}
