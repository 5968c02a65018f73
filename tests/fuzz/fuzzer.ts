/**
 * The fuzzer's loop: makes inputs, checks them, and makes more out of those that show new behaviour.
 *
 * @module
 */

import { Random } from "../support/random.ts";
import { CORPUS, readCorpus, saveInput } from "./corpus.ts";
import type { Coverage } from "./coverage.ts";
import { type Failure, failureOf, minimise } from "./minimise.ts";
import type { Target } from "./target.ts";

/** Options for {@linkcode fuzz}. */
export interface FuzzOptions {
  /** Seed of the random numbers: the same seed makes the same inputs. */
  readonly seed: number;
  /** Time limit, in seconds; the corpus is replayed however long that takes. */
  readonly seconds: number;
  /** Most inputs, not counting the corpus. */
  readonly inputs: number;
  /** Finds inputs that reach new blocks of code. */
  readonly coverage?: Coverage;
  /** Folder of the corpus. */
  readonly corpus?: URL;
  /** Stops the run before its time limit. */
  readonly signal?: AbortSignal;
  /** Called several times a second. */
  readonly onProgress?: (outcome: Outcome) => void;
}

/** An input that breaks a promise. */
export interface Finding extends Failure {
  /** Name of its file in the corpus. */
  readonly file: string;
}

/** Result of a run. */
export interface Outcome {
  readonly target: string;
  /** Number of inputs checked. */
  inputs: number;
  /** Time that took, in seconds. */
  seconds: number;
  /** Number of different behaviours seen. */
  behaviours: number;
  /** Number of blocks of code that have run; `null` without coverage. */
  blocks: number | null;
  /** Number of inputs in the corpus at the start. */
  corpus: number;
  readonly findings: Finding[];
}

/** Inputs between two reads of the coverage, at first and at most: a read takes a millisecond. */
const BATCH = { least: 64, most: 4_096 } as const;

/** Most inputs kept to make others from; beyond that a new one replaces an old one. */
const MOST_KEPT = 2_000;

/** Most behaviours told apart, so that the fuzzer's own memory is bounded. */
const MOST_BEHAVIOURS = 100_000;

/** A run stops at this many kinds of failure: finding more at once is not worth the time. */
const MOST_FINDINGS = 10;

/** Longest time for one input, in milliseconds: all inputs are small. */
const SLOWEST = 2_000;

/** Share of inputs that are made by changing a kept one. */
const MUTATION_SHARE = 0.5;

/** Fuzzes a target until a limit is reached. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<Outcome> {
  return await new Fuzzer(target, options).run();
}

class Fuzzer {
  readonly #target: Target;
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #outcome: Outcome;
  readonly #start = performance.now();
  readonly #pool: unknown[] = [];
  readonly #seen = new Set<string | number>();
  readonly #broken = new Set<string>();
  /** Whether the input being checked has shown new behaviour. */
  #isNew = false;

  constructor(target: Target, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed);
    const blocks = options.coverage === undefined ? null : 0;
    this.#outcome = { target: target.name, inputs: 0, seconds: 0, behaviours: 0, blocks, corpus: 0, findings: [] };
  }

  async run(): Promise<Outcome> {
    await this.#replay();
    const { inputs } = this.#options;
    const most = this.#outcome.inputs + inputs;
    for (let size: number = BATCH.least; this.#hasTime && this.#outcome.inputs < most;) {
      const batch = await this.#runBatch(Math.min(size, most - this.#outcome.inputs));
      const isFruitful = await this.#keepFirstToReach(batch);
      size = isFruitful ? BATCH.least : Math.min(BATCH.most, size * 2);
      this.#reportProgress();
    }
    this.#reportProgress();
    return this.#outcome;
  }

  get #hasTime(): boolean {
    const { seconds, signal } = this.#options;
    const isOver = performance.now() - this.#start >= seconds * 1_000 || signal?.aborted === true;
    return !isOver && this.#broken.size < MOST_FINDINGS;
  }

  #reportProgress(): void {
    const outcome = this.#outcome;
    outcome.seconds = (performance.now() - this.#start) / 1_000;
    outcome.behaviours = this.#seen.size;
    outcome.blocks = this.#options.coverage?.size ?? null;
    this.#options.onProgress?.(outcome);
  }

  /** Checks the corpus, which is also what new inputs are made from. */
  async #replay(): Promise<void> {
    const corpus = await readCorpus(this.#target, this.#options.corpus);
    this.#outcome.corpus = corpus.length;
    for (const { name, input } of corpus) {
      const failure = await this.#check(input);
      if (failure === null) this.#pool.push(input);
      else this.#outcome.findings.push({ ...failure, file: name });
    }
    await this.#options.coverage?.take();
  }

  async #runBatch(size: number): Promise<unknown[]> {
    const batch: unknown[] = [];
    // The clock is read only now and then, because some checks take a few microseconds.
    while (batch.length < size && (batch.length % BATCH.least !== 0 || this.#hasTime)) {
      const input = this.#make();
      batch.push(input);
      const failure = await this.#check(input);
      if (failure !== null) await this.#report(input, failure);
      else if (this.#isNew) this.#keepInPool(input);
    }
    // Signals, and timers of the code under test, get a turn.
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
    return { rule: "an input is handled in time", error: new Error(`${Math.round(time)} ms`) };
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

  /** Finds, by halving, an input of the batch that reached blocks which none before had. */
  async #keepFirstToReach(batch: readonly unknown[]): Promise<boolean> {
    const { coverage } = this.#options;
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
    const file = await saveInput(this.#target, simplest, failure.rule, this.#options.corpus ?? CORPUS);
    this.#outcome.findings.push({ rule: failure.rule, error, file });
  }
}
