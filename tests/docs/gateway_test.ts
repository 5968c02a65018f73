/** The page of the web side against the code, and its examples. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { familiesOf } from "../../lib/gateway/metrics.ts";
import { problemAnswer } from "../../lib/gateway/problem.ts";
import { ROUTES } from "../../lib/gateway/routes/mod.ts";
import { HttpError, type HttpErrorCode } from "../../lib/http/http_error.ts";
import { DROP, KICK, PUT } from "../../lib/protocol.ts";
import { serve, TrackerError, WIRE_ERRORS, type WireErrorCode } from "../../mod.ts";
import { isInstalled, testUnless } from "../support/program.ts";
import { codeOf, constantIn, quantity, read, resolveLink, sectionOf, tableOf, tablesOf } from "../support/page.ts";
import { WebBench } from "../gateway/support/web_bench.ts";

const PAGE = "lib/gateway/README.md";

const noCurl = await isInstalled("curl") ? undefined : "curl is not installed";

Deno.test("the page lists every route with its right and what it does", async () => {
  const documented = tableOf(await read(PAGE), "Routes").map(([route = "", ...rest]) => [codeOf(route)[0], ...rest]);
  const rows = ROUTES.flatMap(({ path, methods }) =>
    Object.entries(methods).map(([method, { right, summary }]) => {
      const needed = right === null
        ? "none"
        : right === KICK
        ? "admin"
        : right === PUT || right === DROP
        ? "write"
        : "read";
      return [`${method} ${path}`, needed === "none" ? "none" : `\`${needed}\``, summary];
    })
  );
  assertEquals(documented, rows);
});

Deno.test("the page lists every code with its status and meaning", async () => {
  const [wire = [], own = []] = tablesOf(sectionOf(await read(PAGE), "Errors"));
  const statusOf = (error: Error) => `${problemAnswer(error).status}`;
  assertEquals(
    wire.map(([code = "", status]) => [codeOf(code)[0], status]),
    Object.keys(WIRE_ERRORS).map((code) => [code, statusOf(new TrackerError(code as WireErrorCode, ""))]),
  );
  const source = await read("lib/http/http_error.ts");
  const codes = Array.from(source.matchAll(/^ {2}([A-Z_]+): \{/gm), ([, code]) => code as HttpErrorCode);
  assertEquals(
    own.map(([code = "", status]) => [codeOf(code)[0], status]),
    codes.map((code) => [code, statusOf(new HttpError(code, ""))]),
  );
  for (const [code = "", , meaning = ""] of own) assert(source.includes(`"${meaning}"`), code);
});

Deno.test("the page lists every metric", async () => {
  await using server = serve({ port: 0 });
  const extras = { statuses: {}, prefixes: {}, isReady: true };
  const families = familiesOf(server.metrics(), extras).map(({ name, type, help }) => {
    return [name + (type === "counter" ? "_total" : type === "info" ? "_info" : ""), type, help];
  });
  const documented = tableOf(await read(PAGE), "Metrics").map(([name = "", ...rest]) => [codeOf(name)[0], ...rest]);
  // What the system does not tell is left out.
  const known = new Set(families.map(([name]) => name));
  assertEquals(documented.filter(([name]) => known.has(name)), families);
  assertEquals(documented.filter(([name]) => !known.has(name)).every(([name]) => /^process_/.test(name!)), true);
});

Deno.test("dashboard and rules ask for metrics that there are", async () => {
  const documented = new Set(tableOf(await read(PAGE), "Metrics").map(([name = ""]) => codeOf(name)[0]!));
  for (const file of ["grafana.json", "alerts.yml"]) {
    const text = await read(`lib/gateway/${file}`);
    for (const [name] of text.matchAll(/\b(?:tracker|process)_[a-z_]+\b(?=[{ [)])/g)) {
      const base = name.replace(/_(?:bucket|sum|count)$/, "");
      assert(documented.has(name) || documented.has(base), `${file}: ${name}`);
    }
  }
  const { panels } = JSON.parse(await read("lib/gateway/grafana.json"));
  assert(panels.length > 10);
});

Deno.test("the page gives every limit its value in the code", async () => {
  for (const [limit = "", value = "", constant = ""] of tableOf(await read(PAGE), "Limits")) {
    const [name = ""] = codeOf(constant);
    const [, link = ""] = /\]\((.+)\)$/.exec(constant) ?? [];
    assertEquals(quantity(value), await constantIn(resolveLink(PAGE, link), name), limit);
  }
});

testUnless(noCurl, "the page's commands for curl do what it says", async () => {
  await using web = new WebBench();
  const [, block = ""] = /```sh\n([^]*?)```/.exec(await read(PAGE)) ?? [];
  const lines = block.trim().split("\n");
  assertEquals(lines.length, 6);
  const answers: string[] = [];
  for (const line of lines) {
    const isStream = line.includes("-N");
    const [, ...words] = line.replaceAll("6789", `${web.port}`).match(/'[^']*'|\S+/g)!.map((word) =>
      word.replaceAll("'", "")
    );
    const args = ["-sS", ...isStream ? ["--max-time", "1"] : ["--fail"], ...words];
    const { code, stdout } = await new Deno.Command("curl", { args, stdout: "piped", stderr: "null" }).output();
    assertEquals(code, isStream ? 28 : 0, line);
    answers.push(new TextDecoder().decode(stdout));
  }
  assertMatch(answers[1]!, /"id":"door".*"state":"open"/);
  assertMatch(answers[2]!, /"clients":\[\{"id":"door"/);
  assertEquals(answers[3], "{door=open}");
  assertMatch(answers[4]!, /event: synced/);
});
