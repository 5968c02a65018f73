/**
 * The protocol alone: its constants, and the parsers and encoders of everything that travels between a client and a
 * server. It does no I/O, so it runs wherever JavaScript does, over any transport.
 *
 * @example A client's message, and the server's reply
 * ```ts
 * import { GET, MessageEncoder, REPLY_MAP, ReplyParser } from "@tracker/tracker/wire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new MessageEncoder().encode(GET), new Uint8Array([42, 3]));
 *
 * const reply = new Uint8Array([13, ...new TextEncoder().encode("{client1=abc}")]);
 * const parser = new ReplyParser();
 * assertEquals(parser.next(reply, 0, reply.length, "map"), REPLY_MAP);
 * const map = reply.subarray(parser.payloadStart, parser.payloadEnd);
 * assertEquals(new TextDecoder().decode(map), "{client1=abc}");
 * ```
 *
 * @module
 */

export * from "../errors.ts";
export * from "../protocol.ts";
export * from "../codec.ts";
export * from "./replies.ts";
export * from "./events.ts";
export * from "./event_writer.ts";
export * from "./list.ts";
export * from "./list_writer.ts";
export type { DivisibleClient, EncodableClient } from "./frame_buffer.ts";
export type { Entry, EventEncoder } from "../feed/event_encoder.ts";
export * from "./requests.ts";
export * from "./entry_requests.ts";
export type { ClientDetails } from "./details.ts";
export { encodeJson } from "./json.ts";
export { type Histogram, HISTOGRAM_BOUNDS, parseStats, type Stats } from "./stats.ts";
