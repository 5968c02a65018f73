/**
 * What a program with `Deno.serve` would do: WebSockets, and the same answers as Tracker's from a map of its own.
 *
 * @module
 */

const states = new Map<string, string>([["door", "open"]]);
const large = new TextEncoder().encode(
  `{${Array.from({ length: 380 }, (_, at) => `client${at}=0123456789`).join(", ")}}`,
);

async function answer(request: Request): Promise<Response> {
  if (request.headers.get("upgrade") === "websocket") {
    return Deno.upgradeWebSocket(request, { idleTimeout: 0 }).response;
  }
  const { pathname } = new URL(request.url);
  if (pathname === "/map") return new Response(large);
  const id = pathname.split("/")[2]!;
  if (request.method === "PUT") {
    states.set(id, await request.text());
    return Response.json({ id, revision: 1, until: 1 });
  }
  const now = Date.now();
  return Response.json({ id, status: "live", revision: 1, openedAt: now, updatedAt: now, state: states.get(id) });
}

Deno.serve({ port: Number(Deno.args[0]), hostname: "127.0.0.1", onListen: () => {} }, answer);
