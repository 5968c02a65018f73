/** The places of clients that have ended. */

import { assertEquals } from "@std/assert";
import { longLength } from "../support/bytes.ts";
import { TcpBench } from "../support/tcp.ts";

Deno.test("the place of a client is free as soon as it has left, though its connection lives on", async () => {
  await using bench = new TcpBench({ maxClients: 1, maxPerAddress: 1 });
  for (let round = 0; round < 20; round++) {
    const holder = await bench.dial();
    await holder.send(42, 0, longLength(1), "a");
    await holder.expect(1);
    // Told that it has broken the protocol, it does not read that, and does not end its side.
    await holder.send(99);
    await bench.until((map) => map === "{}");
    const next = await bench.dial();
    await next.send(42, 3);
    await next.expect(2, "{}");
    await next.send(42, 1);
    await next.expect(1);
  }
  assertEquals(bench.server.metrics().refused, {});
});

Deno.test("a connection that is refused takes no place of its address", async () => {
  await using bench = new TcpBench({ maxPerAddress: 1 });
  const holder = await bench.dial();
  await holder.send(42, 3);
  await holder.expect(2, "{}");
  for (let round = 0; round < 5; round++) await (await bench.dial()).readError();
  await holder.send(42, 1);
  await holder.expect(1);
  const next = await bench.dial();
  await next.send(42, 3);
  await next.expect(2, "{}");
});

Deno.test("many clients that break the protocol and linger are cut off, the oldest first, and none is kept out", async () => {
  await using bench = new TcpBench({ maxClients: 4 });
  for (let round = 0; round < 300; round++) await (await bench.dial()).send(99);
  const next = await bench.dial();
  await next.send(42, 3);
  await next.expect(2, "{}");
});
