/**
 * Paths through the graph of imports.
 *
 * @module
 */

/** The files that each file imports. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Finds the shortest path from a file back to itself.
 *
 * @param graph The files
 * @param start The file to start and end at
 * @returns The files on the path, with the first one repeated at the end; `null` if no path leads back
 */
export function findCircle(graph: Graph, start: string): string[] | null {
  const cameFrom = walk(graph, start);
  const last = [...cameFrom.keys()].find((file) => graph.get(file)?.includes(start));
  if (last === undefined) return null;
  const path = [start];
  for (let file = last; file !== start; file = cameFrom.get(file)!) path.unshift(file);
  return [start, ...path];
}

/**
 * Finds every file that a file depends on.
 *
 * @param graph The files
 * @param start The file to start at
 * @returns That file and all that it imports, directly or indirectly
 */
export function reachableFrom(graph: Graph, start: string): Set<string> {
  return new Set(walk(graph, start).keys());
}

/** Breadth-first search: every reachable file, nearest first, with the file that led to it. */
function walk(graph: Graph, start: string): Map<string, string> {
  const cameFrom = new Map([[start, start]]);
  for (const file of cameFrom.keys()) {
    for (const next of graph.get(file) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return cameFrom;
}
