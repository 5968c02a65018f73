/** The pages against the project: commands that a reader copies, versions, tasks, rooms and links. */

import { assert, assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { programName, TARGETS } from "../../.release/targets.ts";
import { codeOf, filesUnder, linksOf, read, resolveLink, ROOT, tableOf, withoutCode } from "../support/page.ts";

const PAGES = await filesUnder("", ".md");

Deno.test("every page is found", () => {
  for (const path of ["README.md", "PROTOCOL.md", ".github/SECURITY.md", "lib/server/README.md"]) {
    assert(PAGES.includes(path), path);
  }
});

Deno.test("README is short enough to be read", async () => {
  assertLessOrEqual((await read("README.md")).trimEnd().split("\n").length, 250);
});

Deno.test("README runs and tests with the commands that the gate uses", async () => {
  const page = await read("README.md");
  const [line] = /npx -y deno@\S+ task test\b/.exec(await read(".ci/run")) ?? [];
  assert(line !== undefined, ".ci/run does not run the tests as the README says");
  assertStringIncludes(page, `\n${line}\n`);
  assertStringIncludes(page, `\n${line.replace("task test", "run -N main.ts serve")}\n`);
  const [version] = /deno@[\d.]+/.exec(line) ?? [];
  for (const path of PAGES) {
    for (const [named] of (await read(path)).matchAll(/deno@[\d.]*\d/g)) assertEquals(named, version, path);
  }
});

Deno.test("every version on the pages is the version", async () => {
  const { version } = JSON.parse(await read("deno.json"));
  assertEquals(/^## \[(.+)\] - \d{4}-\d\d-\d\d$/m.exec(await read("CHANGELOG.md"))?.[1], version);
  assertStringIncludes(await read("README.md"), `\ntracker ${version} listening on 127.0.0.1:6789\n`);
  assertStringIncludes(await read("lib/commands/README.md"), `\ntracker ${version} (deno `);
  const texts = await Promise.all(PAGES.map(read));
  const names = /(?:\btracker-|\/v)(\d+\.\d+\.[\w.+]+?)[-/]/g;
  const named = texts.flatMap((text) => Array.from(text.matchAll(names), ([, named]) => named));
  assertGreater(named.length, 10);
  assertEquals([...new Set(named)], [version]);
});

Deno.test("README lists the program of every target", async () => {
  const { version } = JSON.parse(await read("deno.json"));
  const documented = tableOf(await read("README.md"), "Install").map(([, program = ""]) => codeOf(program)[0]);
  assertEquals(documented, TARGETS.map((target) => programName(version, target)));
});

Deno.test("CONTRIBUTING lists every task", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const documented = tableOf(await read("CONTRIBUTING.md"), "Set up").map(([task = ""]) => codeOf(task)[0]);
  assertEquals(documented, Object.keys(tasks).map((name) => `deno task ${name}`));
});

Deno.test("CONTRIBUTING lists every room of the library, and no other", async () => {
  const rows = tableOf(await read("CONTRIBUTING.md"), "Where things are");
  const documented = rows.flatMap(([room = ""]) => linksOf(room)).map((link) => link.replace("./lib/", ""));
  const rooms = await Array.fromAsync(Deno.readDir(new URL("lib/", ROOT)), ({ name }) => name);
  assertEquals(documented.toSorted(), rooms.toSorted());
});

Deno.test("every link inside the project leads somewhere", async () => {
  for (const path of PAGES) {
    for (const link of linksOf(await read(path)).filter((link) => !/^https?:/.test(link))) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : resolveLink(path, file);
      await Deno.stat(new URL(target, ROOT)).catch(() => {
        assert(false, `${path} links to ${link}: there is no such file`);
      });
      if (anchor !== undefined) assert(anchorsOf(await read(target)).has(anchor), `${path} links to ${link}`);
    }
  }
});

/** The anchors of a page's headings. */
function anchorsOf(page: string): Set<string> {
  const headings = Array.from(withoutCode(page).matchAll(/^#+ (.+)$/gm), ([, heading = ""]) => heading);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")));
}
