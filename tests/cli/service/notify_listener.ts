/** Stands in for systemd: prints [], then each datagram that arrives at a Unix socket as a line of JSON. */

const [path = ""] = Deno.args;
const socket = Deno.listenDatagram({ transport: "unixpacket", path: path.replace(/^@/, "\0") });

async function print(lines: string[]): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(lines)}\n`));
}

await print([]);
for await (const [message] of socket) await print(new TextDecoder().decode(message).split("\n"));
