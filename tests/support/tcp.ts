import { type Registry, serve, type ServeOptions, type Server } from "../../mod.ts";
import { tearDown, untilMap } from "./bench.ts";
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

  /** Waits until the map is as wanted. */
  async until(isWanted: (map: string) => boolean): Promise<void> {
    await untilMap(this.registry, () => isWanted(this.map));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tearDown(this.server, this.#connections);
  }
}
