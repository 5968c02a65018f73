/**
 * The gateway: HTTP as another protocol of a server.
 *
 * @module
 */

import type { SessionContext } from "../server/context.ts";
import type { Server } from "../server/server.ts";
import type { Conversation, OtherProtocol, Place } from "../server/other_protocol.ts";
import type { Incoming } from "../transport/listener.ts";
import { type FetchHandler, fetchHandler } from "./fetch_handler.ts";
import { HTTP, isHttp } from "./first_byte.ts";
import { HttpConnection } from "./http_connection.ts";
import { type GatewayOptions, type GatewayRules, rulesOf } from "./options.ts";
import { Site } from "./site.ts";

/** HTTP, WebSocket and Server-Sent Events, on the ports of a server or on one of their own. */
export class Gateway implements OtherProtocol {
  /** Its name. */
  readonly name: string = HTTP;
  /** The port on which only HTTP is spoken; `null` if it is spoken on the server's own. */
  readonly port: number | null;
  /** The address to listen on for that port; the server's unless given. */
  readonly hostname: string | undefined;
  readonly #rules: GatewayRules;
  readonly #sites = new WeakMap<SessionContext, Site>();

  /**
   * Makes a gateway, to be given to a server.
   *
   * @param options What is allowed, and where
   * @throws {TrackerError} BAD_ARGUMENT when an option cannot be used
   */
  constructor(options: GatewayOptions = {}) {
    this.#rules = rulesOf(options);
    this.port = options.port ?? null;
    this.hostname = options.hostname;
  }

  /** @internal */
  isBegunBy(byte: number): boolean {
    return this.port === null && isHttp(byte);
  }

  /** @internal */
  converse(connection: Incoming, bytes: Uint8Array, place: Place): Conversation {
    return new HttpConnection(this.#siteOf(place.context), connection, bytes, place);
  }

  /**
   * Makes a handler of the kind that `Deno.serve`, and frameworks for HTTP, take: for a program that has an HTTP server of
   * its own. It answers everything but `/ws`.
   *
   * @param server The server whose map it answers from; it need not speak HTTP itself
   * @returns The handler; it is given the request, and, as `remoteAddr` of an object, where that comes from
   */
  handlerFor(server: Server): FetchHandler {
    const { context, observer } = server.internals;
    return fetchHandler(this.#siteOf(context), observer);
  }

  #siteOf(context: SessionContext): Site {
    let site = this.#sites.get(context);
    if (site === undefined) this.#sites.set(context, site = new Site(context, this.#rules));
    return site;
  }
}
