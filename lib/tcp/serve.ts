/**
 * Serving over TCP and TLS.
 *
 * @module
 */

import { Cidr } from "../auth/cidr.ts";
import { DEFAULT_PORT, DEFAULT_TLS_PORT } from "../protocol.ts";
import { checkOptions, requireInteger, type ServerOptions } from "../server/options.ts";
import type { OtherProtocol } from "../server/other_protocol.ts";
import { Server } from "../server/server.ts";
import type { Listener } from "../transport/listener.ts";
import { LOOPBACK } from "./address.ts";
import type { ServerTlsOptions } from "./options.ts";
import { TcpListener } from "./tcp_listener.ts";
import { TlsListener } from "./tls_listener.ts";

/** Options for {@linkcode serve}. Every member has a default. */
export interface ServeOptions extends ServerOptions {
  /** The address to listen on. Default `"127.0.0.1"`: only programs on this machine can connect. */
  hostname?: string;
  /**
   * The port to listen on without TLS; 0 takes a free one, which `addr` then tells. Default 6789; with `tls` none: a
   * server with a certificate that is to be reached without it too has to say so.
   */
  port?: number;
  /**
   * Networks of proxies that say where their connections come from, by the PROXY protocol, version 1 or 2: limits, trusted
   * networks and events then go by that address. Connections from there without a header are refused.
   */
  proxyFrom?: readonly (Cidr | string)[];
  /**
   * What is spoken besides Tracker's own protocol, such as HTTP: a `Gateway` of `@tracker/tracker/gateway`. Default
   * nothing, and then no code of it is loaded.
   */
  http?: OtherProtocol;
  /** The certificate to speak TLS with, and where. Default none: the server speaks no TLS. */
  tls?: ServerTlsOptions;
}

/**
 * Starts a server.
 *
 * @param options Where to listen, and its limits
 * @returns The server, which accepts connections already
 * @throws {TrackerError} ADDRESS_IN_USE, BAD_ADDRESS or PERMISSION_DENIED when it cannot listen; BAD_CERTIFICATE when the
 *   certificate or its key cannot be used; BAD_ARGUMENT when an option cannot be used
 *
 * @example Serve on a free port, and look at the map
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = await connect({ port: server.addr.port, state: "hello" });
 * assertEquals(await client.getText(), "{client1=hello}");
 * assertEquals(server.registry.size, 1);
 * ```
 */
export function serve(options: ServeOptions = {}): Server {
  // Before anything listens: an invalid option must not open a port even for a moment.
  checkOptions(options);
  const listeners: Listener[] = [];
  try {
    for (const listener of openListeners(options)) listeners.push(listener);
    return new Server(listeners, options, protocolsOf(options, listeners));
  } catch (error) {
    for (const listener of listeners) closeListener(listener);
    throw error;
  }
}

/** Listens on the plain port, the TLS port, or both, and on that for HTTP if it has one. */
function* openListeners(options: ServeOptions): Generator<Listener> {
  const { tls, http, port = tls === undefined ? DEFAULT_PORT : undefined } = options;
  if (port !== undefined) requireInteger("port", port, 0, 65_535);
  const tlsPort = tls?.port ?? DEFAULT_TLS_PORT;
  requireInteger("tls.port", tlsPort, 0, 65_535);
  const httpPort = http?.port ?? null;
  if (httpPort !== null) requireInteger("http.port", httpPort, 0, 65_535);
  const hostname = numericHost(options.hostname ?? LOOPBACK);
  const proxies = (options.proxyFrom ?? []).map((network) =>
    typeof network === "string" ? Cidr.parse(network) : network
  );
  if (port !== undefined) yield new TcpListener(hostname, port, proxies);
  if (tls !== undefined) {
    yield new TlsListener(() => new TcpListener(numericHost(tls.hostname ?? hostname), tlsPort, proxies), tls);
  }
  if (http === undefined || httpPort === null) return;
  const listen = () => new TcpListener(numericHost(http.hostname ?? hostname), httpPort, proxies, http.name);
  yield tls === undefined ? listen() : new TlsListener(listen, tls);
}

/** With a certificate, a plain port takes TLS as well: its first byte tells. */
function protocolsOf({ http, port }: ServeOptions, listeners: readonly Listener[]): OtherProtocol[] {
  const tls = port === undefined ? undefined : listeners.find((listener) => listener instanceof TlsListener);
  return [...http === undefined ? [] : [http], ...tls === undefined ? [] : [tls]];
}

/** The system may take `localhost` for the address of IPv6 only, where no client looks that is not told to. */
function numericHost(hostname: string): string {
  return hostname.toLowerCase() === "localhost" ? LOOPBACK : hostname;
}

/** Closes a listener that has brought nothing yet. */
function closeListener(listener: Listener): void {
  listener.close();
  void listener.finish();
}
