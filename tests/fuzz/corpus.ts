/**
 * The corpus: inputs that are tried each time, and from which new ones are made. A folder a target, a file an input;
 * lines at its top that begin with `# ` say what it is there for.
 *
 * @module
 */

import type { Target } from "./target.ts";

/** Where it lies. */
export const CORPUS: URL = new URL("corpus/", import.meta.url);

/** An input of the corpus. */
export interface Kept {
  /** Its file. */
  readonly name: string;
  readonly input: unknown;
}

/**
 * Reads what is kept for a target.
 *
 * @param target The target
 * @param corpus Where the corpus lies
 * @returns The inputs, by the names of their files
 * @throws {SyntaxError} when a file cannot be read
 */
export async function readCorpus(target: Target, corpus: URL = CORPUS): Promise<Kept[]> {
  const folder = folderOf(target, corpus);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  return await Promise.all(names.map(async (name) => {
    const text = await Deno.readTextFile(new URL(name, folder));
    return { name, input: target.read(text.replace(/^(?:# .*\n)*/, "").trimEnd()) };
  }));
}

/**
 * Keeps an input.
 *
 * @param target The target
 * @param input The input
 * @param reason What it is kept for, a line
 * @param corpus Where the corpus lies
 * @returns The name of its file
 */
export async function keep(target: Target, input: unknown, reason: string, corpus: URL = CORPUS): Promise<string> {
  const text = `${target.write(input)}\n`;
  const name = `${slugOf(reason)}-${await digestOf(text)}.txt`;
  await Deno.mkdir(folderOf(target, corpus), { recursive: true });
  await Deno.writeTextFile(new URL(name, folderOf(target, corpus)), `# ${reason.replace(/\s+/g, " ")}\n${text}`);
  return name;
}

function folderOf({ name }: Target, corpus: URL): URL {
  return new URL(`${name}/`, corpus);
}

/** A few words of it, fit for a file's name on any system. */
function slugOf(reason: string): string {
  return reason.toLowerCase().replace(/[^a-z]+/g, "_").replace(/^_|_$/g, "").slice(0, 50);
}

async function digestOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
