/**
 * Measures what code leaves on the heap, in a process of its own: there the collector can be called, and nothing else
 * allocates.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { textOf } from "./bytes.ts";

const { gc } = globalThis as { gc?: () => void };

/**
 * Runs a program that measures, with `gc` exposed to it.
 *
 * @param program A module that prints its results as JSON; it gets no permissions
 * @returns The results
 */
export async function runMeasurement<T>(program: URL): Promise<T> {
  const args = ["run", "--no-prompt", "--v8-flags=--expose-gc", program.href];
  // A leak may also make each round slower than the one before.
  const signal = AbortSignal.timeout(60_000);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, signal }).output();
  if (!success) throw new Error(`the measurement failed: ${textOf(stderr)}`);
  return JSON.parse(textOf(stdout));
}

/**
 * Measures what rounds of work leave behind. Called in a program that {@linkcode runMeasurement} runs.
 *
 * @param rounds How many rounds count; a fifth as many run before, since the first ones fill caches and compile code
 * @param work Does so many rounds
 * @returns Bytes of heap for each round
 */
export async function bytesKept(rounds: number, work: (rounds: number) => Promise<void>): Promise<number> {
  await work(rounds / 5);
  const before = await usedHeap();
  await work(rounds);
  return (await usedHeap() - before) / rounds;
}

async function usedHeap(): Promise<number> {
  if (gc === undefined) throw new Error("Cannot measure heap: run with --v8-flags=--expose-gc");
  // Objects that the current turn refers to are collected only after it. No timeout, which virtual time would hold up.
  await new Promise<void>((resolve) => void setImmediate(resolve));
  gc();
  return Deno.memoryUsage().heapUsed;
}
