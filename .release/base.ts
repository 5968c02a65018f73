/**
 * The base runtime ("denort"): a compiled program consists of it and the appended bundle. Deno downloads the one for its
 * own version and the target, unless `DENORT_BIN` names a file.
 *
 * @module
 */

import { messageOf } from "../lib/errors.ts";
import { ReleaseError } from "./release_error.ts";
import { systemOfFile, type Target } from "./targets.ts";

/**
 * Checks that `DENORT_BIN` suits the target. Deno would accept any, and make a program that runs nowhere.
 *
 * @param target The target of the program
 * @throws {ReleaseError} when it cannot be read, or is for another target
 */
export async function checkBase({ triple, os, arch }: Target): Promise<void> {
  const path = Deno.env.get("DENORT_BIN");
  if (!path) return;
  const found = await systemOfFile(path).catch((cause) => {
    throw new ReleaseError(`Cannot read DENORT_BIN: ${messageOf(cause)}`, { cause });
  });
  if (found === `${os} ${arch}`) return;
  const what = found === undefined ? "no base runtime" : `one for ${found}`;
  throw new ReleaseError(`Cannot compile for ${triple}: DENORT_BIN is ${path}, which is ${what}. ${howToGet(triple)}`);
}

/**
 * Explains a failure of `deno compile` to download a base runtime.
 *
 * @param output What `deno compile` wrote
 * @param triple The target
 * @returns The error; `undefined` if something else went wrong
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
