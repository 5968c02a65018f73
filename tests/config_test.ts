/** deno.json and the lock files: what running the program needs, and what it may do. */

import { assertEquals } from "@std/assert";
import { PERMISSIONS, VARIABLES } from "../.release/permissions.ts";
import { read } from "./support/page.ts";

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, unknown>;
}

// deno-lint-ignore no-explicit-any -- JSON
async function readJson(path: string): Promise<any> {
  return JSON.parse(await read(path));
}

function isStandard(name: string): boolean {
  return /^(npm:)?deno-std@/.test(name);
}

Deno.test("deno.lock lists only the standard library, and tests/deno.lock the same version of it", async () => {
  const running: Lock = await readJson("deno.lock");
  const testing: Lock = await readJson("tests/deno.lock");
  for (const key of ["specifiers", "npm"] as const) {
    assertEquals(Object.keys(running[key]).filter((name) => !isStandard(name)), []);
    const standard = Object.entries(testing[key]).filter(([name]) => isStandard(name));
    assertEquals(Object.fromEntries<unknown>(standard), running[key]);
  }
});

Deno.test("deno.json grants the program the permissions of a compiled one", async () => {
  const { program } = (await readJson("deno.json")).permissions;
  assertEquals(program.env, Object.keys(VARIABLES));
  const flags = Object.entries(program).map(([name, value]) =>
    value === true ? `--allow-${name}` : `--allow-${name}=${value}`
  );
  assertEquals(flags.sort(), PERMISSIONS.map(({ flag }) => flag).filter((flag) => flag.startsWith("--allow-")).sort());
});
