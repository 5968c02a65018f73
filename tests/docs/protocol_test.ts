/** PROTOCOL.md against the server: the bytes it shows must do what it says. */

import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import * as tracker from "../../mod.ts";
import * as wire from "../../lib/wire/mod.ts";
import { bytesOf, longLength, readExactly, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { bytesOfCell, codeOf, read, tableOf, workedExample } from "../support/page.ts";

Deno.test("PROTOCOL lists every wire error code, and no other", async () => {
  const documented = tableOf(await read("PROTOCOL.md"), "Errors").map(([code = ""]) => codeOf(code)[0]);
  assertEquals(documented, Object.keys(tracker.WIRE_ERRORS));
});

/** Sends bytes as one client and ends the stream; returns the reply, and the map just before the end. */
async function replay(sent: Uint8Array): Promise<{ reply: Uint8Array; map: string }> {
  let map = "{}";
  await using server = tracker.serve({
    port: 0,
    onEvent: (event) => {
      // Unless the stream just ended, the client left because of what it sent.
      if (event.kind === "leave" && event.cause !== "disconnect") map = "{}";
    },
  });
  server.registry.subscribe(({ kind }) => {
    if (kind !== "leave") map = textOf(server.registry.flatten());
  });
  using connection = await Deno.connect({ port: server.addr.port });
  await writeFully(connection, sent);
  await connection.closeWrite();
  return { reply: await readToEnd(connection), map };
}

Deno.test("the server answers the golden bytes as PROTOCOL says", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden bytes");
  assertGreater(rows.length, 25);
  for (const [what = "", sent = "", expected = "", then = ""] of rows) {
    const { reply, map } = await replay(bytesOfCell(sent));
    assertEquals(reply, bytesOfCell(expected), what);
    // A map that is not text has no cell: such rows end with a Get.
    if (then === "") assert(sent.endsWith("`42 3`"), `${what} shows no map`);
    else assertEquals(map, codeOf(then)[0], what);
  }
});

Deno.test("golden bytes have a row for every dialect, type and error that one client can cause", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden bytes");
  const sent = rows.map(([, sent = ""]) => sent);
  for (const header of ["42 0", "42 1", "42 2", "42 3", "66 1 0", "66 1 1", "66 1 2", "66 1 3"]) {
    assert(sent.some((cell) => codeOf(cell).some((code) => code.startsWith(header))), header);
  }
  const replies = rows.map(([, , reply]) => reply).join("\n");
  for (const code of ["BAD_MAGIC", "BAD_VERSION", "BAD_TYPE", "BAD_HELLO", "STATE_TOO_LARGE"]) {
    assertStringIncludes(replies, `"${code}: `);
  }
});

Deno.test("the server answers the worked examples as PROTOCOL says", async () => {
  for (const dialect of tracker.DIALECTS) {
    const { sent, reply } = await workedExample(dialect);
    assertEquals((await replay(sent)).reply, reply, dialect);
  }
});

Deno.test("the server answers the worked example of the extensions step by step as PROTOCOL says", async () => {
  const registry = new tracker.Registry({ incarnation: "5d3a0c6b9e2f4817", now: () => 1_700_000_000_000 });
  await using server = tracker.serve({ port: 0, registry });
  using connection = await Deno.connect({ port: server.addr.port });
  const rows = tableOf(await read("PROTOCOL.md"), "extended");
  assertGreater(rows.length, 20);
  for (const [direction, cell = "", meaning] of rows) {
    const bytes = bytesOfCell(cell);
    if (direction === "→") await writeFully(connection, bytes);
    else assertEquals(await readExactly(connection, bytes.length), bytes, meaning);
  }
  assertEquals(await readToEnd(connection), new Uint8Array(0));
});

Deno.test("the codec and the encoders make the golden payloads of PROTOCOL", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden payloads");
  const message = (type: wire.MessageType, json: object) =>
    new wire.MessageEncoder().encode(type, wire.encodeJson(json));
  const events = new wire.EventWriter();
  const lists = new wire.ListWriter();
  const framed = (add: () => void) => {
    add();
    return events.finish();
  };
  const entry = clientOf("a", "on");
  const made: Uint8Array[] = [
    new wire.MessageEncoder().encode(wire.PUT, wire.encodePut({ name: "a", for: 60 }, bytesOf("on"))),
    message(wire.DROP, { name: "a" }),
    message(wire.KICK, { id: "a" }),
    message(wire.FETCH, { id: "a" }),
    bytesOf(1, longLength(12), '{"was":true}'),
    wire.encodeCount(3),
    framed(() => events.set(5, entry)),
    framed(() => events.leave(6, "a", "expired")),
  ];
  lists.begin(7);
  lists.record(entry);
  made.push(lists.finish());
  assertEquals(rows.map(([, bytes = ""]) => bytesOfCell(bytes)), made);
});

/** An entry that was set, as the map would hold it. */
function clientOf(id: string, state: string): wire.EncodableClient {
  const put = (text: string) => (target: Uint8Array, at: number) => {
    target.set(bytesOf(text), at);
    return at + text.length;
  };
  return {
    status: "detached",
    revision: 5,
    openedAt: 1,
    updatedAt: 2,
    until: 1_000,
    idLength: id.length,
    stateLength: state.length,
    writeId: put(id),
    writeState: put(state),
  };
}
