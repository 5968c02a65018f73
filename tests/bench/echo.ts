/**
 * The echo server: answers whatever it reads with the same fixed bytes, without looking at it. What it reaches is the most
 * that any server on this runtime could with one request at a time.
 *
 * @module
 */

/** The reply of a Tracker whose one client is ready, in the compact dialect. */
const REPLY = new TextEncoder().encode("\x0f{client1=ready}");

const listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[0]) });
for (;;) {
  const connection = await listener.accept();
  connection.setNoDelay(true);
  echo(connection).catch(() => {}).finally(() => connection.close());
}

async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(512);
  while (await connection.read(buffer) !== null) await connection.write(REPLY);
}
