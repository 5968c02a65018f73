/**
 * The base runtime ("denort"): a compiled program is that, with the bundle appended. Deno downloads the one for its own
 * version and the target, unless `DENORT_BIN` names a file.
 *
 * @module
 */

import { ReleaseError } from "./release_error.ts";
import { systemOf, type Target } from "./targets.ts";

/**
 * Sees to it that `DENORT_BIN` suits the target: deno would take any, and make a program that runs nowhere.
 *
 * @param target What is to be compiled for
 */
export async function checkBase({ triple, os, arch }: Target): Promise<void> {
  const path = Deno.env.get("DENORT_BIN");
  if (!path) return;
  const found = systemOf(await readHead(path));
  if (found === `${os} ${arch}`) return;
  const what = found === undefined ? "no base runtime" : `one for ${found}`;
  throw new ReleaseError(`Cannot compile for ${triple}: DENORT_BIN is ${path}, which is ${what}. ${howToGet(triple)}`);
}

/**
 * Says what to do when deno could not get a base runtime, if that is what happened.
 *
 * @param output What `deno compile` said
 * @param triple The target
 * @returns The error; `undefined` when something else went wrong
 */
export function missingBase(output: string, triple: string): ReleaseError | undefined {
  const [, address] = /Download (https?:\S*\/denort-\S+)/.exec(output) ?? [];
  if (address === undefined || !output.includes("Setting up base binary")) return undefined;
  const message = `Cannot compile for ${triple}: deno could not download its base runtime from ${address}`;
  return new ReleaseError(`${message}. ${howToGet(triple)}`);
}

function howToGet(triple: string): string {
  const { deno } = Deno.version;
  return `Set DENORT_BIN to the path of the denort of deno ${deno} for that target, unpacked from denort-${triple}.zip ` +
    `among the downloads of that version of deno`;
}

async function readHead(path: string): Promise<Uint8Array> {
  const head = new Uint8Array(1_024);
  try {
    using file = await Deno.open(path);
    return head.subarray(0, await file.read(head) ?? 0);
  } catch (error) {
    throw new ReleaseError(`Cannot read DENORT_BIN: ${error instanceof Error ? error.message : error}`);
  }
}
