import { assertEquals } from "@std/assert";
import { type Registry, serve, type ServeOptions, type Server } from "../../mod.ts";
import { tearDown, untilMap } from "./bench.ts";
import { bytesOf, readExactly, readToEnd, textOf, writeFully } from "./bytes.ts";

/** A server on a free port, and the means to talk to it byte by byte. */
export class TcpBench implements AsyncDisposable {
  readonly server: Server;
  readonly #connections: Deno.TcpConn[] = [];

  constructor(options: ServeOptions = {}) {
    this.server = serve({ port: 0, ...options });
  }

  get port(): number {
    return this.server.addr.port;
  }

  get registry(): Registry {
    return this.server.registry;
  }

  get map(): string {
    return textOf(this.registry.flatten());
  }

  async dial(): Promise<RawClient> {
    const connection = await Deno.connect({ port: this.port });
    connection.setNoDelay(true);
    this.#connections.push(connection);
    return new RawClient(connection);
  }

  /** Waits until the map is as wanted. */
  async until(isWanted: (map: string) => boolean): Promise<void> {
    await untilMap(this.registry, () => isWanted(this.map));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tearDown(this.server, this.#connections);
  }
}

/** A connection that sends and expects plain bytes. */
export class RawClient {
  readonly connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  async send(...parts: Parameters<typeof bytesOf>): Promise<void> {
    await writeFully(this.connection, bytesOf(...parts));
  }

  async expect(...parts: Parameters<typeof bytesOf>): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.connection, expected.length), expected);
  }

  /** Expects one error reply, and then the end of the stream. */
  async expectError(code: string, reason: string): Promise<void> {
    const text = `${code}: ${reason}`;
    assertEquals(await readToEnd(this.connection), bytesOf(0, text.length, text));
  }

  close(): void {
    this.connection.close();
  }
}
