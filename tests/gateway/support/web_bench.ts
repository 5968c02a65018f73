import { type Registry, serve, type ServeOptions, type Server } from "../../../mod.ts";
import { Gateway, type GatewayOptions } from "../../../lib/gateway/mod.ts";
import { tearDown, untilMap } from "../../support/bench.ts";
import { ByteClient } from "../../support/byte_client.ts";
import { RawClient } from "./raw_client.ts";

/** A server that speaks HTTP on a free port, and clients of all kinds. */
export class WebBench implements AsyncDisposable {
  readonly server: Server;
  readonly #connections: Deno.TcpConn[] = [];

  constructor(gateway: GatewayOptions = {}, options: ServeOptions = {}) {
    this.server = serve({ port: 0, ...options, http: new Gateway(gateway) });
  }

  get port(): number {
    return this.server.httpAddr!.port;
  }

  get registry(): Registry {
    return this.server.registry;
  }

  urlOf(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.urlOf(path), init);
  }

  /** Status and JSON of a response. */
  // deno-lint-ignore no-explicit-any
  async ask(path: string, init: RequestInit = {}): Promise<{ status: number; json: any; headers: Headers }> {
    const response = await this.fetch(path, init);
    const text = await response.text();
    return { status: response.status, json: text === "" ? null : JSON.parse(text), headers: response.headers };
  }

  /** Connects without saying anything yet. */
  async connect(): Promise<RawClient> {
    const connection = await Deno.connect({ port: this.port });
    connection.setNoDelay(true);
    this.#connections.push(connection);
    return new RawClient(connection);
  }

  /** Connects a client of Tracker's own protocol. */
  async dial(): Promise<ByteClient<Deno.TcpConn>> {
    const connection = await Deno.connect({ port: this.server.addr.port });
    connection.setNoDelay(true);
    this.#connections.push(connection);
    return new ByteClient(connection);
  }

  async until(isMet: () => boolean): Promise<void> {
    await untilMap(this.registry, isMet);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tearDown(this.server, this.#connections);
  }
}
