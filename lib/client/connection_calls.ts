/**
 * The calls of a connection that need a Hello and have an answer.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import { DROP, FETCH, KICK, LIST, PUT, STATS } from "../protocol.ts";
import {
  encodePut,
  parsePutReply,
  parseRemovalReply,
  type PutReply,
  type PutRequest,
  type RemovalReply,
} from "../wire/entry_requests.ts";
import { decodeCount, decodeList, type ListRecord, type ListReply } from "../wire/list.ts";
import { encodeRequest, type ListRequest } from "../wire/requests.ts";
import { parseStats, type Stats } from "../wire/stats.ts";
import type { CallOptions } from "./calls.ts";
import type { AnsweredType } from "./pending_calls.ts";

/** Which clients a list is to have, and how; see {@linkcode ListRequest}. */
export type ListOptions = Omit<ListRequest, "count"> & CallOptions;

/** Options for a Put; see {@linkcode PutRequest}. */
export type PutOptions = Omit<PutRequest, "name"> & CallOptions;

/** Options for a Drop. */
export interface DropOptions extends CallOptions {
  /** Whether to take the name from a client that has it. */
  takeover?: boolean;
  /** The revision of the entry that is meant. */
  if?: number;
}

/** Options for a Kick. */
export interface KickOptions extends CallOptions {
  /**
   * For how long its name is refused, or its address if it is numbered, in seconds.
   *
   * @default {0}
   */
  for?: number;
  /** What to tell the client, of at most 128 characters. */
  reason?: string;
}

/** What the calls are made of; `Connection` completes it. */
export abstract class ConnectionCalls {
  /** Reads the clients as records. See `Client.list`. */
  async list(options: ListOptions = {}): Promise<ListReply> {
    const { prefix, status, limit, after, details } = options;
    const json = encodeRequest({ prefix, status, limit, after, details });
    const payload = await this.request("list", LIST, options, json);
    return this.decode(payload, (bytes) => decodeList(bytes, undefined, { hasDetails: details === true }));
  }

  /** Counts the clients. See `Client.count`. */
  async count(options: Pick<ListRequest, "prefix" | "status"> & CallOptions = {}): Promise<number> {
    const json = encodeRequest({ prefix: options.prefix, status: options.status, count: true });
    return this.decode(await this.request("count", LIST, options, json), decodeCount);
  }

  /** Reads one client's record. See `Client.fetch`. */
  async fetch(id: string, options: CallOptions = {}): Promise<ListRecord | null> {
    const payload = await this.request("fetch", FETCH, options, encodeRequest({ id }));
    return this.decode(payload, decodeList).records[0] ?? null;
  }

  /** Sets an entry without a connection. See `Client.put`. */
  async put(name: string, state: string | Uint8Array, options: PutOptions): Promise<PutReply> {
    const { for: seconds, takeover, issued } = options;
    const request = { name, for: seconds, takeover, issued, if: options.if };
    const payload = await this.request("put", PUT, options, encodePut(request as PutRequest, toBytes(state)));
    return this.decode(payload, parsePutReply);
  }

  /** Removes an entry. See `Client.drop`. */
  async drop(name: string, options: DropOptions = {}): Promise<boolean> {
    const json = encodeRequest({ name, takeover: options.takeover, if: options.if });
    return this.#was(await this.request("drop", DROP, options, json));
  }

  /** Ends a client. See `Client.kick`. */
  async kick(id: string, options: KickOptions = {}): Promise<boolean> {
    const json = encodeRequest({ id, for: options.for, reason: options.reason });
    return this.#was(await this.request("kick", KICK, options, json));
  }

  /** Reads the server's statistics. See `Client.stats`. */
  async stats(options: CallOptions = {}): Promise<Stats> {
    return this.decode(await this.request("ask for stats", STATS, options), parseStats);
  }

  /** @internal Sends a request that needs a Hello, and waits for the answer. */
  protected abstract request(
    call: string,
    type: AnsweredType,
    options: CallOptions,
    payload?: Uint8Array,
  ): Promise<Uint8Array>;

  /** @internal Decodes an answer. */
  protected abstract decode<T>(payload: Uint8Array, decode: (payload: Uint8Array) => T): T;

  #was(payload: Uint8Array): boolean {
    return this.decode<RemovalReply>(payload, parseRemovalReply).was;
  }
}
