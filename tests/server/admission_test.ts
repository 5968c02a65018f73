import { assertEquals } from "@std/assert";
import { Admission, type AdmissionLimits } from "../../lib/server/admission.ts";
import { VirtualTime } from "../support/virtual_time.ts";

function admission(limits: Partial<AdmissionLimits>): Admission {
  return new Admission({ maxClients: 100, maxPerAddress: 0, acceptRate: 0, ...limits });
}

/** How long each of several connections, accepted one right after the other, makes the next one wait. */
function paces(gate: Admission, count: number): number[] {
  return Array.from({ length: count }, () => gate.pace());
}

Deno.test("a connection is refused once maxClients are connected", () => {
  const gate = admission({ maxClients: 2 });
  assertEquals(gate.refusalOf("a", 1), null);
  const error = gate.refusalOf("a", 2);
  assertEquals([error?.code, error?.limit], ["TOO_MANY_CLIENTS", "clients"]);
  assertEquals(error?.message, "Cannot accept connection: the limit of 2 is reached");
});

Deno.test("a connection is refused once its address has maxPerAddress, and other addresses are not", () => {
  const gate = admission({ maxPerAddress: 2 });
  gate.enter("a");
  assertEquals(gate.refusalOf("a", 1), null);
  gate.enter("a");
  const error = gate.refusalOf("a", 2);
  assertEquals([error?.code, error?.limit], ["TOO_MANY_CLIENTS", "perAddress"]);
  assertEquals(error?.message, "Cannot accept connection: the limit of 2 from one address is reached");
  assertEquals(gate.refusalOf("b", 2), null);
});

Deno.test("all addresses of one /64 of IPv6 count as one, also at their end", () => {
  const gate = admission({ maxPerAddress: 2 });
  gate.enter("2001:db8:0:1::1");
  gate.enter("2001:db8:0:1:2::2");
  assertEquals(gate.refusalOf("2001:db8:0:1::3", 2)?.limit, "perAddress");
  assertEquals(gate.refusalOf("2001:db8:0:2::3", 2), null);
  gate.leave("2001:db8:0:1::1");
  assertEquals(gate.refusalOf("2001:db8:0:1::3", 1), null);
});

Deno.test("a connection that ends makes room for another from its address", () => {
  const gate = admission({ maxPerAddress: 1 });
  for (let round = 0; round < 3; round++) {
    gate.enter("a");
    assertEquals(gate.refusalOf("a", 1)?.limit, "perAddress");
    gate.leave("a");
    assertEquals(gate.refusalOf("a", 0), null);
  }
});

Deno.test("connections that are being refused count for their address until they end", () => {
  const gate = admission({ maxPerAddress: 1 });
  for (let count = 0; count < 3; count++) gate.enter("a");
  gate.leave("a");
  gate.leave("a");
  assertEquals(gate.refusalOf("a", 1)?.limit, "perAddress");
  gate.leave("a");
  assertEquals(gate.refusalOf("a", 0), null);
});

Deno.test("without maxPerAddress no address is limited", () => {
  const gate = admission({});
  for (let count = 0; count < 50; count++) gate.enter("a");
  assertEquals(gate.refusalOf("a", 50), null);
  gate.leave("a");
  assertEquals(gate.refusalOf("a", 49), null);
});

Deno.test("without acceptRate no connection waits", () => {
  assertEquals(paces(admission({}), 50), Array.from({ length: 50 }, () => 0));
});

Deno.test("a second's worth of connections is accepted at once, and the next ones wait for their turn", async () => {
  using time = new VirtualTime();
  const gate = admission({ acceptRate: 4 });
  assertEquals(paces(gate, 5), [0, 0, 0, 0, 250]);
  await time.advance(250);
  assertEquals(gate.pace(), 250);
  await time.advance(150);
  assertEquals(gate.pace(), 350);
});

Deno.test("a long pause earns one burst, however long it was", async () => {
  using time = new VirtualTime();
  const gate = admission({ acceptRate: 4 });
  paces(gate, 5);
  await time.advance(3_600_000);
  assertEquals(paces(gate, 6), [0, 0, 0, 0, 250, 500]);
});

Deno.test("a server that starts with its program has a whole burst", () => {
  Object.defineProperty(performance, "now", { value: () => 100, configurable: true });
  try {
    const admission = new Admission({ maxClients: 100, maxPerAddress: 0, acceptRate: 4 });
    assertEquals(Array.from({ length: 5 }, () => admission.pace()), [0, 0, 0, 0, 250]);
  } finally {
    delete (performance as { now?: unknown }).now;
  }
});
