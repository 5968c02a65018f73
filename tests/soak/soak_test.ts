import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import type { ListRecord } from "../../mod.ts";
import { bytesOf } from "../support/bytes.ts";
import { chooseOpenings, chooseRound } from "./choice.ts";
import type { Host } from "./host.ts";
import { Model } from "./model.ts";
import { parseOptions, UsageError } from "./options.ts";
import { drawPlot, ticks } from "./plot.ts";
import type { Level } from "./recorder.ts";
import { soak } from "./soak.ts";
import { growthOf } from "./verdict.ts";
import { World } from "./world.ts";

const isLinux = Deno.build.os === "linux";

Deno.test({
  name: `a server under mixed load reports the truth and is empty afterwards${
    isLinux ? "" : " (skipped: needs /proc)"
  }`,
  ignore: !isLinux,
  async fn() {
    const { checks, connections, before, after, operations } = await soak({
      duration: 4_000,
      seed: 1,
      connections: 500,
    });
    assertEquals(checks, 4);
    assert(connections <= 500);
    assertGreater(Object.keys(operations).length, 10);
    assertEquals(after.descriptors, before.descriptors);
  },
});

Deno.test("an interrupted run ends cleanly", async () => {
  const stop = new AbortController();
  const options = { duration: 600_000, seed: 2, connections: 500, signal: stop.signal, onSample: () => stop.abort() };
  const { interrupted, after } = await soak(options);
  assert(interrupted);
  assertEquals(after.connections, 1);
});

/** The operations that a seed chooses in its first rounds. */
function choicesOf(seed: number): unknown {
  const world = new World({ port: 0 } as Host, seed, 1_000);
  chooseOpenings(world);
  for (let round = 0; round < 20; round++) chooseRound(world, 20);
  return [world.done, world.planned, [...world.present].map(({ key, kind }) => [key, kind]), world.model];
}

Deno.test("a seed determines the operations", () => {
  const show = (seed: number) =>
    Deno.inspect(choicesOf(seed), { depth: 9, iterableLimit: 999, strAbbreviateSize: 999 });
  assertEquals(show(5), show(5));
  assert(show(5) !== show(6));
});

function record(id: string, state: string, status: "live" | "suspect" = "live"): ListRecord {
  return { id, state: bytesOf(state), status, revision: 1, openedAt: 0, updatedAt: 0 };
}

/** A model of two known clients, one named and one numbered. */
function createModel(): Model {
  const model = new Model();
  model.join("n1", "n1", bytesOf("n1:a"));
  model.join("m2", null, bytesOf("m2:b"));
  assertEquals(model.compare([record("n1", "n1:a"), record("client1", "m2:b")]), []);
  return model;
}

Deno.test("the model reports clients that are missing, unexpected, different or out of order", () => {
  const one = record("n1", "n1:a");
  const two = record("client1", "m2:b");
  const compare = (...records: ListRecord[]) => createModel().compare(records);
  assertEquals(compare(one), ["client1 is not in the map"]);
  assertEquals(compare(one, two, record("client2", "m3:c")), ["client2 is in the map and should not be"]);
  assertEquals(compare(record("n1", "n1:a", "suspect"), two), ["n1 is suspect, not live"]);
  assertEquals(compare(two, one), ["n1 is not where it was in the map"]);
  assertMatch(compare(record("n1", "n1:b"), two).join(), /^n1 has another state: "n1:b" \(4 bytes\), not "n1:a"/);
});

Deno.test("the model rejects a number that was given before, or not yet", () => {
  for (const id of ["client1", "client3", "client9"]) {
    const model = createModel();
    model.leave("m2");
    model.join("m3", null, bytesOf("m3:c"));
    const problems = model.compare([record("n1", "n1:a"), record(id, "m3:c")]);
    assertEquals(problems.length, 2, id);
    assertEquals(model.compare([record("n1", "n1:a"), record("client2", "m3:c")]), []);
  }
});

Deno.test("a client that will leave by itself may be present or gone until its time is up", () => {
  const one = record("n1", "n1:a");
  const two = record("client1", "m2:b");
  const model = createModel();
  model.fade("n1", 1_000);
  assertEquals([model.size, model.fading], [1, 1]);
  assertEquals(model.compare([one, two]), []);
  model.fade("n1", -1e9);
  assertEquals(model.compare([one, two]), ["n1 is still in the map"]);
  assertEquals(model.compare([two]), []);
  assertEquals(model.fading, 0);
  assertEquals(model.compare([one, two]), ["n1 is in the map and should not be"]);
});

Deno.test("a server that has grown is reported", () => {
  const level: Level = {
    rss: 1e8,
    heap: 1e7,
    external: 1e6,
    descriptors: 20,
    connections: 1,
    watchers: 0,
    suspects: 0,
  };
  assertEquals(growthOf(level, level, 60), []);
  for (const [name, growth] of Object.entries({ rss: 1e8, heap: 3e6, external: 5e6, descriptors: 1, watchers: 1 })) {
    const grown = { ...level, [name]: level[name as keyof Level] + growth };
    assertEquals(growthOf(level, grown, 60).length, 1, name);
  }
  // A cold server takes more memory whatever it does.
  assertEquals(growthOf(level, { ...level, rss: 2e8 }, 6), []);
});

Deno.test("a plot has a point for each value, higher for larger values", () => {
  const svg = drawPlot("a < b", [0, 1, 2], [{
    title: "t",
    curves: [{ name: "n", colour: "red", values: [0, 50, 100] }],
  }]);
  const points = /points="([^"]+)"/.exec(svg)?.[1]?.split(" ").map((point) => point.split(",").map(Number)) ?? [];
  assertEquals(points.length, 3);
  const [[x0, y0], [x1, y1], [x2, y2]] = points as [number, number][] as [
    [number, number],
    [number, number],
    [number, number],
  ];
  assert(x0 < x1 && x1 < x2 && y0 > y1 && y1 > y2, svg);
  assert(svg.includes("a &lt; b"));
  assertEquals(ticks(100, 4), [0, 50, 100]);
  assertEquals(ticks(7, 4), [0, 2, 4, 6, 8]);
});

Deno.test("the soak refuses invalid options", () => {
  const wrong = [[], ["--minutes", "0"], ["--minutes", "x"], ["--minutes", "1", "--seed", "-1"], ["--minute", "1"]];
  for (const args of wrong) assertThrows(() => parseOptions(args), UsageError, undefined);
  const { minutes, seed, connections, json } = parseOptions(["--minutes", "0.5", "--seed", "7"]);
  assertEquals([minutes, seed, connections, json], [0.5, 7, 2_000, false]);
});
