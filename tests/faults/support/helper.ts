/**
 * Processes that cause a fault or must not be affected by one. They run apart from the test, so that neither side's
 * work is counted as the other's.
 *
 * @module
 */

import { Running } from "../../support/program.ts";

/** A program in this directory that answers each line of JSON with another. Disposing kills it. */
export class Helper extends Running {
  /**
   * Starts a program.
   *
   * @param program Its file
   * @param job Its job, passed on its command line
   * @param options Deno `permissions` as flags, and a `prefix` of the command
   */
  constructor(
    program: string,
    job: unknown,
    { permissions = ["-N"], prefix = [] }: { permissions?: readonly string[]; prefix?: readonly string[] } = {},
  ) {
    const path = new URL(program, import.meta.url).pathname;
    const [first = "", ...rest] = [...prefix, Deno.execPath(), "run", "--no-prompt", ...permissions, path];
    super([first, ...rest, JSON.stringify(job)]);
  }

  /** Reads its next answer. */
  async answer<T>(): Promise<T> {
    try {
      return JSON.parse(await this.stdout.line());
    } catch (error) {
      throw new Error(`the helper failed: ${await this.#complaints()}`, { cause: error });
    }
  }

  async #complaints(): Promise<string> {
    this.kill("SIGKILL");
    return await this.stderr.all();
  }

  /** Asks it something and waits for the answer. */
  async ask<T>(question: unknown): Promise<T> {
    await this.type(`${JSON.stringify(question)}\n`);
    return await this.answer();
  }
}
