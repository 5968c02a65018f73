/**
 * What pages in a browser may do: a browser sends requests for any page that it shows, from inside the network it is in.
 *
 * @module
 */

import { hostOf, type SocketAddress } from "../transport/listener.ts";
import { HttpError } from "../http/http_error.ts";
import type { GatewayRules } from "./options.ts";
import type { GatewayRequest } from "./request.ts";

/** Headers of a response that a page of another site may read. */
const EXPOSED = "ETag, Location, Retry-After";

/** How long a browser remembers what another site's pages may ask, in seconds. */
const PREFLIGHT_LIFE = 600;

/** Decides about networks, hosts and origins. */
export class BrowserGuard {
  readonly #rules: GatewayRules;

  /** @param rules Which are allowed */
  constructor(rules: GatewayRules) {
    this.#rules = rules;
  }

  /**
   * Checks where a request comes from.
   *
   * @param request The request
   * @returns Headers of the response, each with its line end
   * @throws {HttpError} FORBIDDEN_NETWORK, WRONG_HOST or FORBIDDEN_ORIGIN
   */
  check(request: GatewayRequest): string {
    const { from } = this.#rules;
    if (from !== null && !from.some((network) => network.contains(request.peer.hostname))) {
      throw new HttpError("FORBIDDEN_NETWORK", "Cannot answer request: HTTP is not spoken with this network");
    }
    const host = request.header("host")?.toLowerCase();
    this.#checkHost(host, request.peer);
    const origin = request.header("origin");
    return origin === undefined ? "" : this.#allow(origin, host, request);
  }

  /**
   * Answers the question of a browser which requests another site's page may send.
   *
   * @param methods The methods of the route
   * @returns Headers of the response, each with its line end
   */
  preflight(methods: string): string {
    return `Access-Control-Allow-Methods: ${methods}\r\n` +
      "Access-Control-Allow-Headers: Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID\r\n" +
      `Access-Control-Max-Age: ${PREFLIGHT_LIFE}\r\n`;
  }

  /**
   * A page can make its own host name point to this machine, and then ask as if it were from here. So whoever asks from
   * this machine must know its name.
   */
  #checkHost(host: string | undefined, peer: SocketAddress): void {
    if (host === undefined || !isLoopback(peer.hostname) || this.#rules.hosts.has(host)) return;
    const name = /:\d*$/.test(host) && !host.endsWith("]") ? hostOf(host) : host.replace(/^\[|\]$/g, "");
    if (name === "localhost" || name.endsWith(".localhost") || isLoopback(name)) return;
    throw new HttpError("WRONG_HOST", "Cannot answer request: its Host does not name this machine");
  }

  #allow(origin: string, host: string | undefined, request: GatewayRequest): string {
    const isOwn = host !== undefined && /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1] === host;
    if (isOwn) return "";
    if (!this.#rules.origins.has("*") && !this.#rules.origins.has(origin)) {
      throw new HttpError("FORBIDDEN_ORIGIN", "Cannot answer request: the page that sends it is from another site");
    }
    // A browser asks before a page of the internet may reach a private network.
    const isPrivate = request.header("access-control-request-private-network") === "true";
    return `Access-Control-Allow-Origin: ${origin}\r\nVary: Origin\r\n` +
      `Access-Control-Expose-Headers: ${EXPOSED}\r\nCross-Origin-Resource-Policy: cross-origin\r\n` +
      (isPrivate ? "Access-Control-Allow-Private-Network: true\r\n" : "");
  }
}

function isLoopback(hostname: string): boolean {
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === "::1";
}
