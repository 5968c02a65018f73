/** Servers that speak TLS, and raw connections to them. */

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

/** The authority that all tests of a file share: its keys take a moment to make. */
export function authority(): Promise<Authority> {
  return made ??= Authority.create();
}

/** What a bench differs in. */
export interface TlsBenchOptions extends Omit<ServeOptions, "tls" | "onEvent"> {
  tls?: Partial<ServerTlsOptions>;
}

/** A server on a free port with TLS, with what is needed to talk to it. */
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

  /** What a client needs to connect. */
  get client(): { port: number; tls: ClientTlsOptions } {
    return { port: this.port, tls: this.trust };
  }

  /** Whom to trust. */
  get trust(): { caCerts: string[] } {
    return { caCerts: [this.authority.cert] };
  }

  /** A connection on which both sides have agreed. */
  async dial(): Promise<Deno.TlsConn> {
    return this.#keep(await dialTls("127.0.0.1", this.port, this.trust, undefined, 10_000));
  }

  /** A connection to the port for TLS that does not speak it. */
  async dialPlain(): Promise<Deno.TcpConn> {
    return this.#keep(await Deno.connect({ port: this.port }));
  }

  /** The next event of a kind. */
  async event<Kind extends ServerEvent["kind"]>(kind: Kind): Promise<ServerEvent & { kind: Kind }> {
    for (;;) {
      const at = this.#events.findIndex((event) => event.kind === kind);
      if (at !== -1) return this.#events.splice(at, 1)[0] as ServerEvent & { kind: Kind };
      await this.#news.promise;
    }
  }

  /** How many events of a kind there were that nobody has asked for. */
  count(kind: ServerEvent["kind"]): number {
    return this.#events.filter((event) => event.kind === kind).length;
  }

  /** Resolves once the map is as wanted; a change of the map is what it waits for. */
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
