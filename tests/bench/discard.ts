/**
 * The discard server: discards everything it reads, and answers the end of a stream with one byte. Its intake is the
 * most that any server on this runtime can reach.
 *
 * @module
 */

const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
for (;;) {
  const connection = await listener.accept();
  discard(connection).finally(() => connection.close()).catch(() => {});
}

async function discard(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await connection.read(buffer) !== null);
  await connection.write(Uint8Array.of(1));
}
