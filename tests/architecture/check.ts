/**
 * Checks source files against the rules.
 *
 * @module
 */

import { findCircle, type Graph, reachableFrom } from "./graph.ts";
import {
  ARROWS,
  FILE_LIMITS,
  isInHouse,
  isTest,
  LIMITS,
  mayImport,
  PURE_ENTRY,
  roomOf,
  RUNTIME_ROOMS,
} from "./rules.ts";
import { EVERYTHING, type Export, type Import, parseSource, type Source } from "./source.ts";

/** A breach of a rule. */
interface Violation {
  path: string;
  line: number;
  text: string;
}

/** A rule: finds every breach of it. */
type Rule = (sources: readonly Source[], entries: readonly string[]) => Iterable<Violation>;

const RULES: readonly Rule[] = [
  findHomeless,
  findForbiddenArrows,
  findCircles,
  findRuntime,
  findImpureImports,
  findLongFiles,
  findLongClasses,
  findLongFunctions,
  findUnusedExports,
];

/**
 * Checks source files against the rules.
 *
 * @param files The text of each file by its path from the root of the project
 * @param entries The project's entry points, as `exports` of deno.json lists them
 * @returns A line for each breach: `path:line: what is wrong: what to do`
 */
export function findViolations(files: ReadonlyMap<string, string>, entries: readonly string[]): string[] {
  const sources = Array.from(files, ([path, text]) => parseSource(path, text));
  return RULES.flatMap((rule) => [...rule(sources, entries)]).map(({ path, line, text }) => `${path}:${line}: ${text}`);
}

function* findHomeless(sources: readonly Source[]): Iterable<Violation> {
  for (const { path } of sources.filter(inHouse)) {
    if (Object.hasOwn(ARROWS, roomOf(path))) continue;
    yield { path, line: 1, text: `is in no room: move it, or add the room "${roomOf(path)}" to ARROWS` };
  }
}

function* findForbiddenArrows(sources: readonly Source[]): Iterable<Violation> {
  for (const { path, imports } of sources.filter(inHouse)) {
    for (const { line, target } of imports) {
      if (target === null || mayImport(path, target)) continue;
      const text = `${roomOf(path)} must not import ${target}: move what is shared to a room below both, or pass it in`;
      yield { path, line, text };
    }
  }
}

/** Each circle is reported once, at the first of its files. */
function* findCircles(sources: readonly Source[]): Iterable<Violation> {
  const graph = graphOf(sources);
  const seen = new Set<string>();
  for (const { path, imports } of sources) {
    const circle = seen.has(path) ? null : findCircle(graph, path);
    if (circle === null) continue;
    for (const file of circle) seen.add(file);
    const { line } = imports.find(({ target }) => target === circle[1])!;
    yield { path, line, text: `imports itself (${circle.join(" -> ")}): move what the files share to one of its own` };
  }
}

function* findRuntime(sources: readonly Source[]): Iterable<Violation> {
  const advice = `only ${RUNTIME_ROOMS.join(", ")} may: go through a seam of lib/transport/`;
  for (const { path, imports, runtime } of sources.filter(inHouse)) {
    if (RUNTIME_ROOMS.includes(roomOf(path))) continue;
    for (const line of new Set(runtime)) yield { path, line, text: `uses Deno, which ${advice}` };
    for (const { line, specifier } of imports) {
      if (specifier.startsWith("node:")) yield { path, line, text: `uses ${specifier}, which ${advice}` };
    }
  }
}

function* findImpureImports(sources: readonly Source[]): Iterable<Violation> {
  const reached = reachableFrom(graphOf(sources), PURE_ENTRY);
  for (const { path, imports } of sources.filter(({ path }) => reached.has(path))) {
    for (const { line, specifier, target } of imports) {
      if (target !== null) continue;
      const text = `imports "${specifier}", though ${PURE_ENTRY} needs this file: import by relative path only`;
      yield { path, line, text };
    }
  }
}

function* findLongFiles(sources: readonly Source[]): Iterable<Violation> {
  for (const { path, lines } of sources) {
    const limit = FILE_LIMITS[path] ?? LIMITS.file;
    if (lines > limit) yield { path, line: limit + 1, text: tooLong("the file", lines, limit) };
  }
}

function* findLongClasses(sources: readonly Source[]): Iterable<Violation> {
  for (const { path, classes } of sources) {
    for (const { line, name, lines } of classes) {
      if (lines > LIMITS.class) yield { path, line, text: tooLong(`class ${name}`, lines, LIMITS.class) };
    }
  }
}

function* findLongFunctions(sources: readonly Source[]): Iterable<Violation> {
  for (const { path, functions } of sources) {
    for (const { line, name, lines, isArgument } of functions) {
      if (lines <= LIMITS.function || isTest(path) && isArgument) continue;
      yield { path, line, text: tooLong(`function ${name}`, lines, LIMITS.function) };
    }
  }
}

function tooLong(what: string, lines: number, limit: number): string {
  return `${what} has ${lines} lines, which is above the limit of ${limit}: split it by purpose`;
}

/** A type may be exported because an exported signature of the same file names it; a value needs an importer. */
function* findUnusedExports(sources: readonly Source[], entries: readonly string[]): Iterable<Violation> {
  const uses = (test: boolean) => namesTaken(sources.filter(({ path }) => isTest(path) === test));
  const [used, tested] = [uses(false), uses(true)];
  for (const { path, exports, mentions } of sources) {
    // A declaration file is found by a comment, not by an import.
    if (!path.startsWith("lib/") || path.endsWith(".d.ts") || entries.includes(path)) continue;
    for (const { line, name, isType } of exports) {
      if (isTaken(used, path, name) || isType && mentions.get(name)! > 1) continue;
      const text = isTaken(tested, path, name)
        ? `only tests import ${name}: test it through its callers, or move it to tests/`
        : `nothing imports ${name}: stop exporting it, or delete it`;
      yield { path, line, text };
    }
  }
}

/** For each file, the names that others take from it. */
function namesTaken(sources: readonly Source[]): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  for (const { target, names } of sources.flatMap(({ imports }) => imports)) {
    if (target === null) continue;
    const all = taken.get(target) ?? new Set();
    taken.set(target, all);
    for (const name of names) all.add(name);
  }
  return taken;
}

function isTaken(taken: Map<string, Set<string>>, path: string, name: Export["name"]): boolean {
  const names = taken.get(path);
  return names !== undefined && (names.has(name) || names.has(EVERYTHING));
}

function graphOf(sources: readonly Source[]): Graph {
  const targets = (imports: readonly Import[]) => imports.flatMap(({ target }) => target === null ? [] : [target]);
  return new Map(sources.map(({ path, imports }) => [path, targets(imports)]));
}

function inHouse({ path }: Source): boolean {
  return isInHouse(path);
}
