/**
 * One accepting thread: shares the port with the others, and nothing else.
 *
 * @module
 */

import { LIMITS } from "../../support/limits.ts";
import { Registry } from "../../../lib/map/registry.ts";
import { Session } from "../../../lib/server/session.ts";
import { createSessionContext } from "../../../lib/server/context.ts";

const port = Number(new URL(import.meta.url).searchParams.get("port"));
const registry = new Registry();
registry.open("ready");
const context = createSessionContext(registry, LIMITS);
const listener = Deno.listen({ hostname: "127.0.0.1", port, reusePort: true });
for (;;) {
  const connection = await listener.accept();
  connection.setNoDelay(true);
  new Session(connection, context).run();
}
