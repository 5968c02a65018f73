/**
 * A server of several accepting threads: `threads_server.ts PORT THREADS`.
 *
 * @module
 */

const [port, threads] = Deno.args;
for (let i = 0; i < Number(threads); i++) {
  new Worker(new URL(`./threads_worker.ts?port=${port}`, import.meta.url), { type: "module" });
}
