/** The bytes of PROTOCOL.md, sent to a server in a process of its own. */

import { assertEquals, assertGreater } from "@std/assert";
import { connect, DIALECTS } from "../../mod.ts";
import { bytesOf, readExactly, readToEnd, writeFully } from "../support/bytes.ts";
import { bytesOfCell, codeOf, read, tableOf, workedExample } from "../support/page.ts";
import { eventually, startServer } from "../support/program.ts";

/** Sends bytes to a new server, and expects exactly the reply and, before the connection ends, the map. */
async function exchange(what: string, sent: Uint8Array, reply: Uint8Array, map: string | undefined): Promise<void> {
  await using server = await startServer(["--log", "off"]);
  using connection = await Deno.connect({ port: server.port });
  await writeFully(connection, sent);
  assertEquals(await readExactly(connection, reply.length), reply, what);
  if (map !== undefined) {
    await using observer = await connect({ port: server.port });
    await eventually(() => observer.getText(), map);
  }
  await connection.closeWrite();
  assertEquals(await readToEnd(connection), bytesOf(), `${what}: more than the reply`);
}

Deno.test("a server answers the golden bytes and keeps the map as in PROTOCOL.md", async () => {
  const rows = tableOf(await read("PROTOCOL.md"), "Golden bytes");
  assertGreater(rows.length, 25);
  for (const [what = "", sent = "", reply = "", then = ""] of rows) {
    await exchange(what, bytesOfCell(sent), bytesOfCell(reply), codeOf(then)[0]);
  }
});

for (const dialect of DIALECTS) {
  Deno.test(`a server follows the worked example of the ${dialect} dialect in PROTOCOL.md`, async () => {
    const { sent, reply } = await workedExample(dialect);
    await exchange(dialect, sent, reply, undefined);
  });
}
