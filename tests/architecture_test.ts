/** The sources against the rules in `tests/architecture/rules.ts`, and the rules against sources that break them. */

import { assert, assertEquals } from "@std/assert";
import { findViolations } from "./architecture/check.ts";
import { findCircle } from "./architecture/graph.ts";
import { ARROWS } from "./architecture/rules.ts";
import { filesUnder, read } from "./support/page.ts";

/** Reads every TypeScript file of the project. */
async function readSources(): Promise<Map<string, string>> {
  const folders = await Promise.all(["lib", "tests", ".release"].map((folder) => filesUnder(folder, ".ts")));
  const paths = ["main.ts", "mod.ts", ...folders.flat()].sort();
  return new Map(await Promise.all(paths.map(async (path) => [path, await read(path)] as const)));
}

Deno.test("every source follows the architecture", async () => {
  const { exports } = JSON.parse(await read("deno.json"));
  const entries = Object.values<string>(exports).map((path) => path.replace("./", ""));
  const violations = findViolations(await readSources(), entries);
  assert(violations.length === 0, `\n${violations.join("\n")}`);
});

/** Checks sources, of which `mod.ts` is the entry point, and expects exactly these violations. */
function expectViolations(files: Record<string, string>, expected: string[]): void {
  assertEquals(findViolations(new Map(Object.entries(files)), ["mod.ts"]), expected);
}

function lines(count: number, text = "call();\n"): string {
  return text.repeat(count);
}

Deno.test("arrows lead to known rooms and form no circle", () => {
  const rooms = new Map(Object.entries(ARROWS).map(([room, targets]) => [room, roomsIn(targets)]));
  for (const [room, targets] of rooms) {
    assertEquals(targets.filter((target) => target !== "deno.json" && !rooms.has(target)), [], room);
    assertEquals(findCircle(rooms, room), null, room);
  }
});

function roomsIn(targets: string): string[] {
  return targets.split(" ").filter((target) => target !== "").map((target) => target.replace(/\/.*/, ""));
}

Deno.test("sources that follow the rules pass", () => {
  expectViolations({
    "main.ts": `import { run } from "./lib/commands/mod.ts";\nrun(Deno.args);\n`,
    "mod.ts": `export { Server } from "./lib/server/server.ts";\nexport * from "./lib/errors.ts";\n`,
    "lib/commands/mod.ts": `import { serve } from "../tcp/serve.ts";\nexport const run = () => serve();\n`,
    "lib/tcp/serve.ts":
      `import { Server } from "../server/server.ts";\nexport const serve = () => Deno.listen(Server);\n`,
    "lib/server/server.ts":
      `import type { E } from "../errors.ts";\nexport class Server { e?: E; }\n// Deno.listen is not for it.\n`,
    "lib/errors.ts":
      `export class E {}\n/** Seen by others in the type of {@linkcode f}. */\nexport interface O {}\nexport const f = (o: O) => o;\n`,
    "tests/errors_test.ts": `import { E } from "../lib/errors.ts";\nimport { x } from "package";\nDeno.test(E, x);\n`,
  }, []);
});

Deno.test("reports a file outside every room", () => {
  expectViolations({
    "lib/helpers.ts": "",
    "lib/misc/helpers.ts": "",
    "tests/misc/helpers.ts": "",
  }, [
    `lib/helpers.ts:1: is in no room: move it, or add the room "helpers" to ARROWS`,
    `lib/misc/helpers.ts:1: is in no room: move it, or add the room "misc" to ARROWS`,
  ]);
});

const ARROWS_UP: Record<string, string> = {
  "an import": `import { x } from "../server/server.ts";`,
  "an import of a type": `import type { x } from "../server/server.ts";`,
  "a side-effect import": `import "../server/server.ts";`,
  "a re-export": `export { x } from "../server/server.ts";`,
  "a re-export of everything": `export * from "../server/server.ts";`,
  "a dynamic import": `const x = await import("../server/server.ts");`,
  "an inline type import": `let x: import("../server/server.ts").x;`,
};

for (const [what, text] of Object.entries(ARROWS_UP)) {
  Deno.test(`reports a forbidden arrow: ${what}`, () => {
    expectViolations({ "lib/client/client.ts": `\n// deno-lint-ignore-file\n${text}\n` }, [
      "lib/client/client.ts:3: client must not import lib/server/server.ts: " +
      "move what is shared to a room below both, or pass it in",
    ]);
  });
}

Deno.test("an arrow to one file of a room allows no other file of that room", () => {
  expectViolations({
    "lib/wire/event_writer.ts": `import "../feed/event_encoder.ts";\nimport "../feed/feed.ts";\n`,
  }, [
    "lib/wire/event_writer.ts:2: wire must not import lib/feed/feed.ts: " +
    "move what is shared to a room below both, or pass it in",
  ]);
});

Deno.test("reports a library file that imports from tests/", () => {
  expectViolations({ "lib/commands/serve.ts": `import "../../tests/support/tcp.ts";` }, [
    "lib/commands/serve.ts:1: commands must not import tests/support/tcp.ts: " +
    "move what is shared to a room below both, or pass it in",
  ]);
});

Deno.test("reports each circle of imports once", () => {
  expectViolations({
    "lib/map/a.ts": `import "./b.ts";`,
    "lib/map/b.ts": `import "./alone.ts";\nimport type { x } from "./c.ts";`,
    "lib/map/c.ts": `import "./a.ts";`,
    "lib/map/alone.ts": "",
    "tests/d.ts": `import "./e.ts";`,
    "tests/e.ts": `import "./d.ts";`,
  }, [
    "lib/map/a.ts:1: imports itself (lib/map/a.ts -> lib/map/b.ts -> lib/map/c.ts -> lib/map/a.ts): " +
    "move what the files share to one of its own",
    "tests/d.ts:1: imports itself (tests/d.ts -> tests/e.ts -> tests/d.ts): move what the files share to one of its own",
  ]);
});

const RUNTIME_ADVICE = "only tcp, node, gateway, cluster, history, cli, commands, main may: " +
  "go through a seam of lib/transport/";

Deno.test("reports Deno and node: modules where code must run anywhere, for values and types", () => {
  expectViolations({
    "lib/map/a.ts":
      `let conn: Deno.Conn;\n// Deno in a comment, and "Deno"\nglobalThis.Deno.exit();\nconst x = "Deno";\n`,
    "lib/client/b.ts": `import { connect } from "node:net";\n`,
    "lib/cli/c.ts": `import { connect } from "node:net";\nDeno.exit();\n`,
  }, [
    `lib/map/a.ts:1: uses Deno, which ${RUNTIME_ADVICE}`,
    `lib/map/a.ts:3: uses Deno, which ${RUNTIME_ADVICE}`,
    `lib/client/b.ts:1: uses node:net, which ${RUNTIME_ADVICE}`,
  ]);
});

Deno.test("reports packages and absolute imports in everything mod.ts needs", () => {
  const advice = "though mod.ts needs this file: import by relative path only";
  expectViolations({
    "mod.ts": `export * from "./lib/tcp/serve.ts";\n`,
    "lib/tcp/serve.ts": `import "../server/server.ts";\nimport "npm:ws@8";\nimport "node:tls";\n`,
    "lib/server/server.ts": `import "https://example.com/mod.ts";\nimport "/mod.ts";\nawait import(name);\n`,
    "lib/cli/std.ts": `export * from "npm:deno-std@1.4.0";`,
  }, [
    `lib/tcp/serve.ts:2: imports "npm:ws@8", ${advice}`,
    `lib/tcp/serve.ts:3: imports "node:tls", ${advice}`,
    `lib/server/server.ts:1: imports "https://example.com/mod.ts", ${advice}`,
    `lib/server/server.ts:2: imports "/mod.ts", ${advice}`,
    `lib/server/server.ts:3: imports "", ${advice}`,
  ]);
});

Deno.test("reports a file above its limit at the first line too many", () => {
  expectViolations({
    "lib/codec.ts": lines(601),
    "lib/map/long.ts": lines(401),
    "lib/map/enough.ts": lines(400),
    "tests/long_test.ts": lines(400) + "call();",
  }, [
    "lib/codec.ts:601: the file has 601 lines, which is above the limit of 600: split it by purpose",
    "lib/map/long.ts:401: the file has 401 lines, which is above the limit of 400: split it by purpose",
    "tests/long_test.ts:401: the file has 401 lines, which is above the limit of 400: split it by purpose",
  ]);
});

Deno.test("reports a class above its limit", () => {
  const fields = (count: number) => Array.from({ length: count }, (_, at) => `f${at} = 1;\n`).join("");
  expectViolations({
    "tests/classes.ts": `/** Long\n * @module\n */\nexport class Long {\n${fields(299)}}\n`,
    "lib/map/classes.ts": `class Enough {\n${fields(298)}}\n`,
  }, [
    "tests/classes.ts:4: class Long has 301 lines, which is above the limit of 300: split it by purpose",
  ]);
});

const LONG_FUNCTIONS: Record<string, [string, string]> = {
  "function long": ["function long() {\n", "}"],
  "function late": ["const late = async () => {\n", "};"],
  "function #hidden": ["class C {\nstatic async #hidden() {\n", "}\n}"],
  "function value": ["class C {\nget value() {\n", "return 1; }\n}"],
  "function constructor": ["class C {\nconstructor() {\n", "}\n}"],
  "function handler": ["class C {\nhandler = () => {\n", "};\n}"],
  "function method": ["call({\nmethod() {\n", "}\n});"],
  "function (anonymous)": ["export default function () {\n", "}"],
};

for (const [name, [head, tail]] of Object.entries(LONG_FUNCTIONS)) {
  Deno.test(`reports a function above its limit: ${name}`, () => {
    const line = head.trimEnd().split("\n").length;
    const expected = `${name} has 41 lines, which is above the limit of 40: split it by purpose`;
    expectViolations({ ".release/a.ts": head + lines(39) + tail, "tests/a.ts": head + lines(38) + tail }, [
      `.release/a.ts:${line}: ${expected}`,
    ]);
  });
}

Deno.test("reports a long callback, but not in tests", () => {
  const source = `Deno.test("a", () => {\n${lines(39)}});\n`;
  expectViolations({ "lib/cli/a.ts": source, "tests/a_test.ts": source }, [
    "lib/cli/a.ts:1: function (anonymous) has 41 lines, which is above the limit of 40: " +
    "split it by purpose",
  ]);
});

Deno.test("reports exports that only tests import, and exports that nothing imports", () => {
  const advice = "test it through its callers, or move it to tests/";
  const rest = "stop exporting it, or delete it";
  expectViolations({
    "mod.ts": `export * from "./lib/errors.ts";\nexport { one } from "./lib/map/a.ts";\n`,
    "lib/errors.ts": "export class All {}\n",
    "lib/map/a.ts": "export const one = 1;\nexport function two() {}\nexport const { three, x: [four] } = two();\n" +
      "export class Five {}\nexport type Six = Seven;\nexport interface Seven {}\ntwo(Five);\n",
    "lib/map/b.ts": `import * as a from "./c.ts";\nimport { three } from "./a.ts";\n`,
    "lib/map/c.ts": "export const all = 1;\n",
    "tests/a_test.ts": `import { one, two, three, type Six } from "../lib/map/a.ts";\n`,
    "tests/b.ts": "export const helper = 1;\n",
  }, [
    `lib/map/a.ts:2: only tests import two: ${advice}`,
    `lib/map/a.ts:3: nothing imports four: ${rest}`,
    `lib/map/a.ts:4: nothing imports Five: ${rest}`,
    `lib/map/a.ts:5: only tests import Six: ${advice}`,
  ]);
});
