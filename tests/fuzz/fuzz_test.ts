/** A short run of the fuzzer, the same each time, and tests of the fuzzer itself. `deno task fuzz` is the long run. */

import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { bytesOf } from "../support/bytes.ts";
import { Random } from "../support/random.ts";
import { codeOf, read, tableOf } from "../support/page.ts";
import { CORPUS, readCorpus, saveInput } from "./corpus.ts";
import { simplerBytes } from "./delivery.ts";
import { fuzz } from "./fuzzer.ts";
import { failureOf } from "./minimise.ts";
import { readBytes, writeBytes } from "./notation.ts";
import { formatJson, formatOutcomes } from "./report.ts";
import { demand, type Target } from "./target.ts";
import { TARGETS } from "./targets/mod.ts";

/** Inputs of each target: few enough for all of them to take a second or two. */
const INPUTS: Record<string, number> = { codec: 10_000, session: 300 };
const FEW = 3_000;

for (const target of TARGETS) {
  Deno.test(`fuzz: ${target.name} keeps its promises, with its corpus and ${INPUTS[target.name] ?? FEW} inputs`, async () => {
    await using folder = await Folder.make();
    await folder.copy(target);
    const inputs = INPUTS[target.name] ?? FEW;
    const outcome = await fuzz(target, { seed: 1, seconds: 600, inputs, corpus: folder.url });
    assertEquals(outcome.findings.map(({ rule, error, file }) => `${file} ${rule} ${error}`), []);
    assertEquals(outcome.inputs, outcome.corpus + inputs);
    assertGreater(outcome.behaviours, 1);
  });

  Deno.test(`fuzz: every input of ${target.name} is read back as it was written`, () => {
    const random = new Random(2);
    let input = target.generate(random);
    for (let round = 0; round < 100; round++) {
      input = round % 5 === 0 ? target.generate(random) : target.mutate(input, random);
      const text = target.write(input);
      assertEquals(target.write(target.read(text)), text);
    }
  });
}

Deno.test("fuzz: corpus has a folder for each target, and no other", async () => {
  const folders = await Array.fromAsync(Deno.readDir(CORPUS), ({ name }) => name);
  assertEquals(folders.sort(), TARGETS.map(({ name }) => name).sort());
});

Deno.test("fuzz: README has a row for each target", async () => {
  const rows = tableOf(await read("tests/fuzz/README.md"), "Targets");
  assertEquals(rows.map(([name = ""]) => codeOf(name)[0]), TARGETS.map(({ name }) => name));
});

/** Breaks its promise if a 7 follows a 42. */
const broken: Target<Uint8Array<ArrayBuffer>> = {
  name: "broken",
  covers: [],
  generate: (random) => random.bytes(random.integer(0, 50)),
  mutate: (bytes, random) => Uint8Array.from(bytes, (byte) => random.next() < 0.1 ? 42 : byte),
  check(bytes, note) {
    note(bytes.includes(42) ? "42" : "none");
    const at = bytes.indexOf(42);
    demand(at === -1 || !bytes.subarray(at).includes(7), "no 7 follows a 42", () => bytes.join(" "));
    if (bytes.length > 49) throw new RangeError("too long");
  },
  simpler: simplerBytes,
  write: writeBytes,
  read: (text) => readBytes(text).bytes,
};

Deno.test("fuzz: an input that breaks a promise is minimised, saved, reported, and found again in the corpus", async () => {
  await using folder = await Folder.make();
  await Deno.mkdir(new URL("broken/", folder.url));
  const plan = { seed: 3, seconds: 600, inputs: 5_000, corpus: folder.url };
  const first = await fuzz(broken, plan);
  assertEquals(first.findings.map(({ rule }) => rule).sort(), [
    "no 7 follows a 42",
    "throws only the errors it may: RangeError",
  ]);
  const kept = await readCorpus(broken, folder.url);
  assertEquals(kept.map(({ name }) => name).sort(), first.findings.map(({ file }) => file).sort());
  assert(kept.some(({ input }) => String(input) === String(bytesOf(42, 7))), "42 7 is the simplest");
  const report = formatOutcomes([first], 3);
  assertStringIncludes(report, "broken breaks a promise: no 7 follows a 42\n");
  assertStringIncludes(report, "  repeat: deno task fuzz --target broken --seconds 0\n");
  assertEquals(JSON.parse(formatJson([first], 3)).targets[0].failures.length, 2);
  const again = await fuzz(broken, { ...plan, seconds: 0 });
  assertEquals(again.findings.map(({ file }) => file).sort(), first.findings.map(({ file }) => file).sort());
  assertEquals(again.inputs, 2);
});

Deno.test("fuzz: the same seed makes the same inputs", async () => {
  await using folder = await Folder.make();
  await Deno.mkdir(new URL("seen/", folder.url));
  const run = async (seed: number) => {
    const seen: string[] = [];
    const check: typeof broken.check = (bytes, note) => {
      note(bytes.length);
      seen.push(bytes.join(" "));
    };
    await fuzz({ ...broken, name: "seen", check }, { seed, seconds: 600, inputs: 200, corpus: folder.url });
    return seen;
  };
  assertEquals(await run(5), await run(5));
  assert(String(await run(5)) !== String(await run(6)));
});

Deno.test("fuzz: a check that fails asynchronously is a failure too", async () => {
  const late: Target = { ...broken as Target, check: () => Promise.reject(new TypeError("late")) };
  assertEquals((await failureOf(late, bytesOf(1)))?.rule, "throws only the errors it may: TypeError");
});

/** A corpus of its own, so that a test never writes into the project's. */
class Folder implements AsyncDisposable {
  private constructor(readonly url: URL) {}

  static async make(): Promise<Folder> {
    return new Folder(new URL(`${pathToFileURL(await Deno.makeTempDir())}/`));
  }

  async copy(target: Target): Promise<void> {
    await Deno.mkdir(new URL(`${target.name}/`, this.url));
    for (const { name, input } of await readCorpus(target)) await saveInput(target, input, name, this.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.url, { recursive: true });
  }
}
