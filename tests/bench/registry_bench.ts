/**
 * The map alone: the cost of a change, and of flattening after no change, after one, and after one of every state.
 *
 * @module
 */

import type { Entry } from "../../lib/map/entry.ts";
import { Registry } from "../../lib/map/registry.ts";

const STATE = new Uint8Array(100).fill(97);

for (const clients of [10, 100, 1_000, 10_000]) {
  const registry = new Registry();
  const entries: Entry[] = [];
  for (let i = 0; i < clients; i++) entries.push(registry.open(STATE));
  let next = 0;
  const updateOne = () => {
    const entry = entries[next++ % clients];
    if (entry !== undefined) registry.update(entry, STATE);
  };

  Deno.bench(`update, ${clients} clients`, { group: "update" }, updateOne);

  Deno.bench(`open and close, ${clients} clients`, { group: "open and close" }, () => {
    registry.close(registry.open(STATE));
  });

  Deno.bench(`flatten unchanged, ${clients} clients`, { group: "flatten unchanged" }, () => {
    registry.flatten();
  });

  Deno.bench(`flatten after one change, ${clients} clients`, { group: "flatten after one change" }, () => {
    updateOne();
    registry.flatten();
  });

  Deno.bench(`flatten after every state has changed, ${clients} clients`, { group: "flatten after all" }, () => {
    for (const entry of entries) registry.update(entry, STATE);
    registry.flatten();
  });
}
