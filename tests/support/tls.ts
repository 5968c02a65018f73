/** Servers with TLS, and raw connections to them. */

import {
  type ClientTlsOptions,
  dialTls,
  serve,
  type ServeOptions,
  type Server,
  type ServerEvent,
  type ServerTlsOptions,
} from "../../mod.ts";
import { tearDown, untilMap } from "./bench.ts";
import { Authority } from "./certificates.ts";
import { textOf } from "./bytes.ts";

let made: Promise<Authority> | undefined;

/** The authority that all tests of a file share, since its keys take a moment to make. */
export function authority(): Promise<Authority> {
  return made ??= Authority.create();
}

/** Options for {@linkcode TlsBench}. */
export interface TlsBenchOptions extends Omit<ServeOptions, "tls" | "onEvent"> {
  tls?: Partial<ServerTlsOptions>;
}

/** A server with TLS on a free port, and connections to it. */
export class TlsBench implements AsyncDisposable {
  readonly authority: Authority;
  readonly server: Server;
  readonly #events: ServerEvent[] = [];
  readonly #connections: Deno.Conn[] = [];
  #news = Promise.withResolvers<void>();

  private constructor(authority: Authority, { tls, ...options }: TlsBenchOptions) {
    this.authority = authority;
    this.server = serve({
      ...options,
      tls: { port: 0, ...authority.issue(), ...tls },
      onEvent: (event) => {
        this.#events.push(event);
        this.#news.resolve();
        this.#news = Promise.withResolvers();
      },
    });
  }

  static async create(options: TlsBenchOptions = {}): Promise<TlsBench> {
    return new TlsBench(await authority(), options);
  }

  /** The port for TLS. */
  get port(): number {
    return this.server.tlsAddr!.port;
  }

  get map(): string {
    return textOf(this.server.registry.flatten());
  }

  /** Options that let a client connect. */
  get client(): { port: number; tls: ClientTlsOptions } {
    return { port: this.port, tls: this.trust };
  }

  /** TLS options that trust the server's certificate. */
  get trust(): { caCerts: string[] } {
    return { caCerts: [this.authority.cert] };
  }

  /** Connects, and completes the handshake. */
  async dial(): Promise<Deno.TlsConn> {
    return this.#keep(await dialTls("127.0.0.1", this.port, this.trust, undefined, 10_000));
  }

  /** Connects to the TLS port without TLS. */
  async dialPlain(): Promise<Deno.TcpConn> {
    return this.#keep(await Deno.connect({ port: this.port }));
  }

  /** Waits for the next event of a kind, and takes it. */
  async event<Kind extends ServerEvent["kind"]>(kind: Kind): Promise<ServerEvent & { kind: Kind }> {
    for (;;) {
      const at = this.#events.findIndex((event) => event.kind === kind);
      if (at !== -1) return this.#events.splice(at, 1)[0] as ServerEvent & { kind: Kind };
      await this.#news.promise;
    }
  }

  /** Counts the events of a kind that were not taken. */
  count(kind: ServerEvent["kind"]): number {
    return this.#events.filter((event) => event.kind === kind).length;
  }

  /** Waits until the map is as wanted. */
  async until(wanted: string): Promise<void> {
    await untilMap(this.server.registry, () => this.map === wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tearDown(this.server, this.#connections);
  }

  #keep<T extends Deno.Conn>(connection: T): T {
    this.#connections.push(connection);
    return connection;
  }
}
