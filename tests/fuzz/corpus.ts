/**
 * The corpus: inputs that every run replays and makes new ones from. It has a folder per target and a file per input,
 * whose first lines, beginning with `# `, say what the input is for.
 *
 * @module
 */

import type { Target } from "./target.ts";

/** Folder of the corpus. */
export const CORPUS: URL = new URL("corpus/", import.meta.url);

/** An input of the corpus. */
export interface CorpusInput {
  /** Name of its file. */
  readonly name: string;
  readonly input: unknown;
}

/**
 * Reads the inputs of a target.
 *
 * @param target The target
 * @param corpus Folder of the corpus
 * @returns The inputs, in the order of their files' names
 * @throws {SyntaxError} when a file cannot be read
 */
export async function readCorpus(target: Target, corpus: URL = CORPUS): Promise<CorpusInput[]> {
  const folder = folderOf(target, corpus);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => {
    const text = await Deno.readTextFile(new URL(name, folder));
    return { name, input: target.read(text.replace(/^(?:# .*\n)*/, "").trimEnd()) };
  }));
}

/**
 * Saves an input.
 *
 * @param target The target
 * @param input The input
 * @param reason What it is for, in one line
 * @param corpus Folder of the corpus
 * @returns The name of its file
 */
export async function saveInput(target: Target, input: unknown, reason: string, corpus: URL = CORPUS): Promise<string> {
  const text = `${target.write(input)}\n`;
  const name = `${slugOf(reason)}-${await digestOf(text)}.txt`;
  await Deno.mkdir(folderOf(target, corpus), { recursive: true });
  await Deno.writeTextFile(new URL(name, folderOf(target, corpus)), `# ${reason.replace(/\s+/g, " ")}\n${text}`);
  return name;
}

function folderOf({ name }: Target, corpus: URL): URL {
  return new URL(`${name}/`, corpus);
}

/** Shortens a reason to a file name that is valid on any system. */
function slugOf(reason: string): string {
  return reason.toLowerCase().replace(/[^a-z]+/g, "_").replace(/^_|_$/g, "").slice(0, 50);
}

async function digestOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
