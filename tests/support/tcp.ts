import { type Registry, serve, type ServeOptions, type Server } from "../../mod.ts";
import { ByteClient } from "./byte_client.ts";
import { textOf } from "./bytes.ts";

/** A server on a free port, and clients that talk to it in bytes. */
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

  async dial(): Promise<ByteClient<Deno.TcpConn>> {
    const connection = await Deno.connect({ port: this.port });
    connection.setNoDelay(true);
    this.#connections.push(connection);
    return new ByteClient(connection);
  }

  /** Resolves once the map is as wanted; a change of the map is what it waits for. */
  async until(isWanted: (map: string) => boolean): Promise<void> {
    while (!isWanted(this.map)) {
      await new Promise<void>((resolve) => {
        const stop = this.registry.subscribe(() => {
          stop();
          resolve();
        });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown({ timeout: 0 });
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // Closed by the test.
      }
    }
  }
}
