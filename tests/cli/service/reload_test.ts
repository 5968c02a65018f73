import { assertEquals } from "@std/assert";
import { withTimeout } from "../../../lib/base/async.ts";
import { Reloader, type ReloadEvent } from "../../../lib/cli/service/reload.ts";
import { noSighup, testUnless } from "../../support/program.ts";

/** Waits for the effect of a signal. The timer keeps the process alive, which a listener for signals does not. */
function soon<T>(result: Promise<T>): Promise<T> {
  return withTimeout(result, { timeout: 20_000, onTimeout: () => new Error("the signal has had no effect") });
}

/** The reports of a reloader, which can be waited for. */
class Reports {
  readonly #events: ReloadEvent[] = [];
  #news = Promise.withResolvers<void>();

  readonly take = (event: ReloadEvent): void => {
    this.#events.push(event);
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  };

  async next(): Promise<string> {
    while (this.#events.length === 0) await soon(this.#news.promise);
    const event = this.#events.shift()!;
    return event.kind === "reload" ? event.what : `${event.what}: ${event.error.message}`;
  }
}

testUnless(noSighup, "SIGHUP reloads everything in order, even if something fails", async () => {
  const reports = new Reports();
  const reloader = new Reloader(reports.take);
  reloader.add("one", () => Promise.resolve());
  reloader.add("two", () => Promise.reject(new Error("it is gone")));
  reloader.add("three", () => Promise.resolve());
  Deno.kill(Deno.pid, "SIGHUP");
  assertEquals([await reports.next(), await reports.next(), await reports.next()], ["one", "two: it is gone", "three"]);
  await reloader.close();
});

testUnless(
  noSighup,
  "SIGHUP during a reload causes another one, since files may have changed",
  async () => {
    const reports = new Reports();
    const reloader = new Reloader(reports.take);
    const first = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<void>();
    const listener = () => heard.resolve();
    let reads = 0;
    reloader.add("file", async () => {
      reads++;
      begun.resolve();
      await first.promise;
    });
    Deno.kill(Deno.pid, "SIGHUP");
    await soon(begun.promise);
    Deno.addSignalListener("SIGHUP", listener);
    Deno.kill(Deno.pid, "SIGHUP");
    await soon(heard.promise);
    first.resolve();
    assertEquals([await reports.next(), await reports.next()], ["file", "file"]);
    assertEquals(reads, 2);
    Deno.removeSignalListener("SIGHUP", listener);
    await reloader.close();
  },
);

testUnless(noSighup, "a closed reloader reads nothing more", async () => {
  const reports = new Reports();
  const reloader = new Reloader(reports.take);
  reloader.add("file", () => Promise.reject(new Error("read after all")));
  const heard = Promise.withResolvers<void>();
  const listener = () => heard.resolve();
  Deno.addSignalListener("SIGHUP", listener);
  await reloader.close();
  await new Reloader(reports.take).close();
  Deno.kill(Deno.pid, "SIGHUP");
  await soon(heard.promise);
  reports.take({ kind: "reload", what: "nothing" });
  assertEquals(await reports.next(), "nothing");
  Deno.removeSignalListener("SIGHUP", listener);
});
