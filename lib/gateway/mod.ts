/**
 * The web side of a server: HTTP, WebSocket and Server-Sent Events, on the same ports as Tracker's own protocol.
 *
 * @example A server that answers over HTTP
 * ```ts
 * import { serve } from "@tracker/tracker";
 * import { Gateway } from "@tracker/tracker/gateway";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0, http: new Gateway() });
 * const url = `http://127.0.0.1:${server.addr.port}/clients/door`;
 * await (await fetch(url, { method: "PUT", body: "open" })).body?.cancel();
 * const door = await (await fetch(url)).json();
 * assertEquals(door.state, "open");
 * ```
 *
 * @module
 */

export { Gateway } from "./gateway.ts";
export { Cidr } from "../auth/cidr.ts";
export type { OtherProtocol } from "../server/other_protocol.ts";
export type { FetchHandler } from "./fetch_handler.ts";
export type { GatewayOptions } from "./options.ts";
