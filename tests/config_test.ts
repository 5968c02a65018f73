/** deno.json and the lock files: what running the program needs, and what it may do. */

import { assertEquals } from "@std/assert";
import { PERMISSIONS, VARIABLES } from "../.release/permissions.ts";
import { textOf } from "./support/bytes.ts";

const ROOT = new URL("../", import.meta.url);

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, unknown>;
}

// deno-lint-ignore no-explicit-any -- JSON
async function readJson(path: string): Promise<any> {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
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

Deno.test("the program runs from a cache that holds nothing but the standard library", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const packages: string = JSON.parse((await deno(["info", "--json"])).stdout).npmCache;
    for await (const { name: registry } of Deno.readDir(packages)) {
      await copyFolder(`${packages}/${registry}/deno-std`, `${cache}/npm/${registry}/deno-std`);
    }
    const main = new URL("main.ts", ROOT).href;
    const { code, stderr } = await deno(["run", "--cached-only", "--no-prompt", main, "version"], { DENO_DIR: cache });
    assertEquals([code, stderr], [0, ""]);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

async function deno(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    await (isDirectory ? copyFolder : Deno.copyFile)(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("deno.json grants the program the permissions of a compiled one", async () => {
  const { program } = (await readJson("deno.json")).permissions;
  assertEquals(program.env, Object.keys(VARIABLES));
  const flags = Object.entries(program).map(([name, value]) =>
    value === true ? `--allow-${name}` : `--allow-${name}=${value}`
  );
  assertEquals(flags.sort(), PERMISSIONS.map(({ flag }) => flag).filter((flag) => flag.startsWith("--allow-")).sort());
});
