/** What other programs can do to a server with TLS, and what they cannot. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { bytesOf, readToEnd, textOf, writeFully } from "../support/bytes.ts";
import { TlsBench } from "../support/tls.ts";

const isLinux = Deno.build.os === "linux";

/** What a program prints: tests may read /proc only through one. */
async function outputOf(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stdout: "piped", stderr: "null" }).output();
  return textOf(stdout);
}

/** The descriptors of this process, each as what it leads to. */
async function descriptors(): Promise<string[]> {
  const lines = (await outputOf("ls", "-l", `/proc/${Deno.pid}/fd`)).split("\n");
  return lines.flatMap((line) => line.split(" -> ")[1] ?? []);
}

/** The ports that this process listens on. */
async function listeningPorts(): Promise<Set<number>> {
  const open = new Set(await descriptors());
  const ports = new Set<number>();
  for (const line of (await outputOf("cat", "/proc/net/tcp")).split("\n").slice(1)) {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    if (state === "0A" && open.has(`socket:[${inode}]`)) ports.add(Number.parseInt(local.split(":")[1]!, 16));
  }
  return ports;
}

/** How many sockets this process has. */
async function countSockets(): Promise<number> {
  return (await descriptors()).filter((target) => target.startsWith("socket:")).length;
}

Deno.test({
  name: "a server with TLS listens on one port, which no program of the machine can get around",
  ignore: !isLinux,
  async fn() {
    const before = await listeningPorts();
    await using bench = await TlsBench.create();
    await using client = await connect({ ...bench.client, state: "a" });
    bench.server.reloadTls(bench.authority.issue());
    await using other = await connect({ ...bench.client, state: "b" });
    assertEquals(await other.getText(), await client.getText());
    assertEquals([...(await listeningPorts()).difference(before)], [bench.port]);
  },
});

Deno.test({
  name: "a TLS connection takes one descriptor of the server, and none once it is over",
  ignore: !isLinux,
  async fn() {
    await using bench = await TlsBench.create();
    const before = await countSockets();
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect({ ...bench.client, state: "a" })));
    // The clients' ends are in this process too, and up to four with which the server waits for turns.
    const taken = await countSockets() - before;
    assert(taken >= 40 && taken <= 44, `${taken} for 20 connections of two ends`);
    await Promise.all(clients.map((client) => client.close()));
    await bench.until("{}");
    for (let left = Infinity; left > before + 4;) {
      left = await countSockets();
    }
  },
});

Deno.test("a client that sends faster than it is served fills the system's buffers, and none of the server's", async () => {
  await using bench = await TlsBench.create({ messageRate: 10 });
  const connection = await bench.dial();
  await writeFully(connection, bytesOf(66, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 97));
  const update = bytesOf(66, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 98);
  const flood = new Uint8Array(update.length * 5_000);
  for (let at = 0; at < flood.length; at += update.length) flood.set(update, at);
  let sent = 0;
  const flooding = (async () => {
    for (;;) sent += await connection.write(flood);
  })().catch(() => {});
  // Until writing waits, which it does only if the server does not read.
  for (let before = -1; before !== sent;) {
    before = sent;
    await using witness = await connect({ ...bench.client, state: "w" });
    await witness.get();
  }
  assert(sent < 32 * 2 ** 20, `the server took ${sent} bytes`);
  connection.close();
  await flooding;
});

Deno.test("neither a thousand silent connections nor a thousand broken handshakes keep a client out", async () => {
  await using bench = await TlsBench.create({ handshakeTimeout: 2_000 });
  const hello = bytesOf(22, 3, 1, 0, 200, 1, 0, 0);
  const strangers = await Promise.all(Array.from({ length: 1_000 }, async (_, index) => {
    const connection = await bench.dialPlain();
    await writeFully(connection, index % 2 === 0 ? hello : bytesOf("no TLS at all, this")).catch(() => {});
    return connection;
  }));
  await using client = await connect({ ...bench.client, state: "fine" });
  assertEquals(await client.getText(), "{client1=fine}");
  await Promise.all(strangers.map((stranger) => readToEnd(stranger).catch(() => {})));
  assertEquals(bench.server.metrics().now.connections, 1);
});
