/**
 * The processes that a fault comes from, or that it must leave alone: apart from the test, so that neither side's work
 * is counted as the other's.
 *
 * @module
 */

import { Running } from "../../support/program.ts";

/** A program of this directory that takes lines of JSON and answers each with one. Disposing kills it. */
export class Helper extends Running {
  /**
   * Starts a program.
   *
   * @param program Its file
   * @param job What it is to do, for its command line
   * @param options `permissions` of Deno's, and what is put in front of the command
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

  /** Its next answer. */
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

  /** Gives it something to do, and waits for the answer. */
  async ask<T>(question: unknown): Promise<T> {
    await this.type(`${JSON.stringify(question)}\n`);
    return await this.answer();
  }
}
