import { assertEquals } from "@std/assert";
import fc from "../support/packages/fast_check.ts";
import { Connection, type Dialect, DIALECTS, Registry } from "../../mod.ts";
import { Session } from "../../lib/server/session.ts";
import { closeSessionContext, createSessionContext, type SessionContext } from "../../lib/server/context.ts";
import { textOf } from "../support/bytes.ts";
import { LIMITS } from "../support/limits.ts";
import { createPair } from "../support/memory.ts";

/** One of up to eight clients, and its identifier in the model. */
interface Peer {
  client: Connection;
  session: Session;
  ended: Promise<void>;
  id: string | null;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz, x=y}{";

const action = fc.record({
  who: fc.integer({ min: 0, max: 7 }),
  act: fc.constantFrom("open", "update", "update", "get", "close", "abort"),
  state: fc.string({ unit: fc.constantFrom(...LETTERS), maxLength: 40 }).map((state) => state || "-"),
});

function join(context: SessionContext, dialect: Dialect, seed: number): Peer {
  const [near, far] = createPair(seed);
  const session = new Session(far, context);
  return { client: new Connection(near, { dialect }), session, ended: session.run(), id: null };
}

/** The map as the model predicts it. */
function flatten(model: Map<string, string>): string {
  return `{${[...model].map(([id, state]) => `${id}=${state}`).join(", ")}}`;
}

Deno.test("any interleaving of eight clients agrees with a plain Map", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.nat(), async (actions, seed) => {
      const registry = new Registry();
      const context = createSessionContext(registry, LIMITS);
      const peers = new Map<number, Peer>();
      const all: Peer[] = [];
      const model = new Map<string, string>();
      let opened = 0;
      for (const { who, act, state } of actions) {
        let peer = peers.get(who);
        if (peer === undefined) {
          peer = join(context, DIALECTS[(seed + who) % 3] ?? "wide", seed + all.length);
          peers.set(who, peer);
          all.push(peer);
        }
        if (act === "open" || act === "update") {
          peer.id ??= `client${++opened}`;
          model.set(peer.id, state);
          if (act === "open") await peer.client.open(state);
          // An Update has no reply; the Get behind it shows that it was handled before another client acts.
          else peer.client.update(state);
          assertEquals(await peer.client.getText(), flatten(model));
        } else if (act === "get") {
          assertEquals(await peer.client.getText(), flatten(model));
        } else {
          if (act === "close") await peer.client.close();
          else peer.client.abort();
          await peer.ended;
          if (peer.id !== null) model.delete(peer.id);
          peers.delete(who);
        }
        assertEquals(textOf(registry.flatten()), flatten(model));
      }
      for (const peer of all) {
        peer.client.abort();
        await peer.client.finished;
        await peer.ended;
      }
      assertEquals(textOf(registry.flatten()), "{}");
      closeSessionContext(context);
    }),
    { numRuns: 200 },
  );
});

Deno.test("clients that all act at once leave the map of their last states", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 80 }), fc.nat(), async (actions, seed) => {
      const registry = new Registry();
      const context = createSessionContext(registry, LIMITS);
      const peers = Array.from(
        { length: 8 },
        (_, who) => join(context, DIALECTS[(seed + who) % 3] ?? "wide", seed + who),
      );
      const last = new Map<number, string>();
      const calls: Promise<unknown>[] = [];
      for (const { who, act, state } of actions) {
        const client = peers[who]?.client;
        if (client === undefined || act === "close" || act === "abort") continue;
        if (act === "get") calls.push(client.get());
        else calls.push(act === "open" ? client.open(state) : client.update(state));
        if (act !== "get") last.set(who, state);
      }
      await Promise.all([...calls, ...peers.map(({ client }) => client.get())]);
      const states = [...registry.entries()].map((entry) => textOf(entry.state)).sort();
      assertEquals(states, [...last.values()].sort());
      await Promise.all(peers.map(({ client }) => client.close()));
      await Promise.all(peers.map(({ ended }) => ended));
      assertEquals(registry.size, 0);
      closeSessionContext(context);
    }),
    { numRuns: 100 },
  );
});
