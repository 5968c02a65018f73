import { assertEquals } from "@std/assert";
import { Connection, type ConnectionOptions, dial } from "../../mod.ts";
import { EventWriter } from "../../lib/wire/mod.ts";
import { bytesOf, readExactly, writeFully } from "./bytes.ts";
import { createPair, type MemoryConnection } from "./memory.ts";

/** A connection whose server is the test. */
export class ConnectionBench implements AsyncDisposable {
  readonly client: Connection;
  readonly server: MemoryConnection;

  /** @param seed With a seed, reads and writes are cut short at random */
  constructor(options: ConnectionOptions = {}, seed?: number) {
    const [client, server] = createPair(seed);
    this.client = new Connection(client, options);
    this.server = server;
  }

  /** Expects these bytes from the client. */
  async receive(...parts: Parameters<typeof bytesOf>): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.server, expected.length), expected);
  }

  /** Sends these bytes to the client. */
  async answer(...parts: Parameters<typeof bytesOf>): Promise<void> {
    await writeFully(this.server, bytesOf(...parts));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.abort();
    await this.client.finished;
    if (!this.server.closed) this.server.close();
  }
}

/** A frame as a server writes it. */
export function frame(build: (writer: EventWriter) => void): Uint8Array {
  const writer = new EventWriter();
  build(writer);
  return writer.finish();
}

/** Connects to a server of this process, and opens if there is a state. */
export async function openConnection(
  { port, state, ...options }: ConnectionOptions & { port: number; state?: string | Uint8Array },
): Promise<Connection> {
  const connection = new Connection(await dial("127.0.0.1", port, undefined, 10_000), options);
  if (state !== undefined) await connection.open(state);
  return connection;
}
