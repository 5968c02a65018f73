/** The pages of server and client against the code: the log, limits and errors. */

import { assertEquals } from "@std/assert";
import type { LogEvent } from "../../lib/cli/log/log.ts";
import { ERRORS } from "../../lib/errors.ts";
import * as tracker from "../../mod.ts";
import * as wire from "../../lib/wire/mod.ts";
import { LEAVE_CAUSES } from "../../mod.ts";
import { codeOf, constantIn, quantity, read, resolveLink, sectionOf, tableOf, tablesOf } from "../support/page.ts";

const SERVER = "lib/server/README.md";

const CLIENT = "lib/client/README.md";

Deno.test("the client's page lists every error code with its meaning and whether to try again, and no other", async () => {
  const tables = tablesOf(sectionOf(await read(CLIENT), "Errors"));
  const documented = tables.map((rows) => rows.map(([code = "", ...rest]) => [codeOf(code)[0], ...rest]));
  assertEquals(documented, [errorRows(true), errorRows(false)]);
  const codes = documented.flat().map(([code]) => code);
  assertEquals(codes, [...Object.keys(tracker.WIRE_ERRORS), ...Object.keys(tracker.LOCAL_ERRORS)]);
});

/** The rows of one table, out of the code's own. */
function errorRows(isWire: boolean): string[][] {
  const rows = Object.entries(ERRORS).filter(([, { wire }]) => wire === isWire);
  return rows.map(([code, { meaning, retry }]) => [code, meaning, retry ? "yes" : "no"]);
}

Deno.test("the server's page lists every event of the log and every cause of a leave", async () => {
  // The compiler checks that these are complete.
  const events: Record<LogEvent["kind"] | "dropped", true> = {
    join: true,
    set: true,
    suspect: true,
    resume: true,
    leave: true,
    error: true,
    "tls-error": true,
    "accept-error": true,
    reload: true,
    "reload-error": true,
    dropped: true,
  };
  const tables = tablesOf(sectionOf(await read(SERVER), "Log"));
  const documented = tables.map((rows) => rows.map(([first = ""]) => codeOf(first)[0]));
  assertEquals(documented, [Object.keys(events), [...LEAVE_CAUSES]]);
});

Deno.test("the pages of server and client give every limit its value in the code", async () => {
  const exported: Record<string, unknown> = { ...wire, ...tracker };
  const missing = new Set(Object.keys(exported).filter((name) => /MAX_|TIMEOUT/.test(name)));
  // The space reserved for a length is not a limit.
  missing.delete("MAP_LENGTH_SIZE");
  // The name that MAX_TOMBSTONES had before.
  missing.delete("MAX_DEPARTURES");
  for (const page of [SERVER, CLIENT]) {
    for (const [limit = "", value = "", constant = ""] of tableOf(await read(page), "Limits")) {
      const [name = ""] = codeOf(constant);
      const [, link] = /\]\((.+)\)$/.exec(constant) ?? [];
      const actual = link === undefined ? exported[name] : await constantIn(resolveLink(page, link), name);
      assertEquals(quantity(value), actual, limit);
      missing.delete(name);
    }
  }
  assertEquals([...missing], []);
});
