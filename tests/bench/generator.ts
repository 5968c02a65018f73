/**
 * The benchmark's end of a load generator.
 *
 * @module
 */

import { TextLineStream } from "../../lib/cli/std.ts";
import type { Job, JobResult } from "./load/job.ts";
import { cpuShare, Process, type Usage } from "./process.ts";

/** Time limit of a job, in milliseconds. */
const PATIENCE = 120_000;

/** The result of a job, and the load of both sides meanwhile: 1 is one processor. */
export interface Measured extends JobResult {
  cpu: { server: number; generator: number };
}

/** A generator process, and the connections it holds. */
export class Generator implements AsyncDisposable {
  readonly #process: Process;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  /** Starts a generator. */
  constructor() {
    const program = new URL("./load.ts", import.meta.url).pathname;
    this.#process = new Process(Deno.execPath(), ["run", "--allow-ffi", program], { piped: true });
    this.#input = this.#process.input.getWriter();
    this.#lines = this.#process.output.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Performs a job. */
  async perform(job: Job): Promise<JobResult> {
    const timer = setTimeout(() => this.#process.kill(), PATIENCE);
    try {
      await this.#input.write(new TextEncoder().encode(`${JSON.stringify(job)}\n`));
      const { value } = await this.#lines.read();
      if (value === undefined) throw new Error(`Cannot perform ${job.kind}: the load generator has ended`);
      const result = JSON.parse(value);
      if ("error" in result) throw new Error(result.error);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Performs a job and measures its processor time. */
  async measure(job: Job, server: Process): Promise<Measured> {
    const before = await this.#usages(server);
    const result = await this.perform(job);
    const after = await this.#usages(server);
    return {
      ...result,
      cpu: {
        server: cpuShare(before.server, after.server),
        generator: cpuShare(before.generator, after.generator),
      },
    };
  }

  async #usages(server: Process): Promise<{ server: Usage; generator: Usage }> {
    const [serverUsage, generator] = await Promise.all([server.usage(), this.#process.usage()]);
    return { server: serverUsage, generator };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#lines.closed.catch(() => {});
  }
}
