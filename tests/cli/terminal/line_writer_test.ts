import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LineWriter } from "../../../lib/cli/terminal/line_writer.ts";

/** Takes text once it is released. */
class Target {
  readonly written: string[] = [];
  #gate = Promise.withResolvers<void>();

  readonly write = async (text: string): Promise<void> => {
    await this.#gate.promise;
    this.written.push(text);
  };

  release(): void {
    this.#gate.resolve();
  }

  break(): void {
    this.#gate.reject(new Error("broken pipe"));
  }
}

Deno.test("lines added during a write go out together, in order", async () => {
  const target = new Target();
  const writer = new LineWriter(target.write);
  for (let line = 0; line < 3; line++) assertEquals(writer.add(`a${line}`), null);
  await Promise.resolve();
  for (let line = 0; line < 3; line++) assertEquals(writer.add(`b${line}`), null);
  target.release();
  await writer.flush();
  assertEquals(target.written, ["a0\na1\na2\n", "b0\nb1\nb2\n"]);
});

Deno.test("adding more than is read has to wait", async () => {
  const target = new Target();
  const writer = new LineWriter(target.write);
  const long = "x".repeat(1_000);
  let count = 0;
  let waiting: Promise<void> | null = null;
  for (; waiting === null && count < 1_000; count++) waiting = writer.add(long);
  assertEquals(count, 66);
  target.release();
  await waiting;
  assertEquals(target.written.join("").length, 66 * 1_001);
  assertEquals(writer.add(long), null);
  await writer.flush();
});

Deno.test("a failure of the output is reported by the next add, and by flush", async () => {
  const target = new Target();
  const writer = new LineWriter(target.write);
  writer.add("lost");
  target.break();
  await assertRejects(() => writer.flush(), Error, "broken pipe");
  assertThrows(() => writer.add("more"), Error, "broken pipe");
});
