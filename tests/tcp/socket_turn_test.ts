import { assert, assertEquals } from "@std/assert";
import { SocketTurn } from "../../lib/tcp/socket_turn.ts";

/** Waits until a turn is waited for by way of a socket: then it is there long before a timer could be. */
async function warmUp(turns: SocketTurn): Promise<void> {
  for (let count = 0; count < 1_000; count++) {
    const before = performance.now();
    await turns.turn();
    if (performance.now() - before < 0.5) return;
  }
  throw new Error("every turn takes as long as a timer");
}

Deno.test("after a turn, what had arrived on other sockets has been heard of", async () => {
  const turns = new SocketTurn();
  await warmUp(turns);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using server = await listener.accept();
  for (let count = 0; count < 20; count++) {
    let isHeard = false;
    const reading = server.read(new Uint8Array(8)).then(() => isHeard = true);
    await client.write(Uint8Array.of(1));
    // A loopback delivers at once, so the byte is there; only the runtime does not know yet.
    await turns.turn();
    await turns.turn();
    assert(isHeard);
    await reading;
  }
  await turns.close();
});

Deno.test("a turn comes even while the sockets are being made or closed", async () => {
  const turns = new SocketTurn();
  const first = turns.turn();
  await turns.close();
  await first;
  await turns.turn();
  const others = new SocketTurn();
  await warmUp(others);
  const last = others.turn();
  await others.close();
  await last;
});

Deno.test("a server that is never busy makes no sockets for its turns", async () => {
  const turns = new SocketTurn();
  await turns.close();
  assertEquals(await turns.turn(), undefined);
});
