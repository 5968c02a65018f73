/**
 * The calls of a client that need a Hello and have an answer.
 *
 * @module
 */

import type { PutReply } from "../wire/entry_requests.ts";
import type { ListRecord, ListReply } from "../wire/list.ts";
import type { ListRequest } from "../wire/requests.ts";
import type { Stats } from "../wire/stats.ts";
import type { CallOptions } from "./calls.ts";
import type { DropOptions, KickOptions, ListOptions, PutOptions } from "./connection_calls.ts";
import type { Connection } from "./connection.ts";

/** What the calls are made of; `Client` completes it. */
export abstract class ClientCalls {
  /**
   * Reads the clients as records, which no state can forge. Needs the Hello.
   *
   * @param options `prefix` and `status`: only clients whose identifier begins with the one, or that have the other; `limit`
   *   and `after`: a page of them, in order of identifier; `details`: with what is known of each besides; and when to stop
   *   waiting
   * @returns The clients, in the order of opening unless it is a page, and the revision of the map they show
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   *
   * @example One page after the other
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * await using client = await connect({ port: server.addr.port });
   * for (const name of ["ada", "bob", "cy"]) server.registry.open("", { id: name });
   * const first = await client.list({ limit: 2 });
   * const second = await client.list({ limit: 2, after: first.records.at(-1)!.id });
   * assertEquals([...first.records, ...second.records].map(({ id }) => id), ["ada", "bob", "cy"]);
   * ```
   */
  list(options: ListOptions = {}): Promise<ListReply> {
    return this.call("list", options, (connection, rest) => connection.list({ ...options, ...rest }));
  }

  /**
   * Counts the clients. Needs the Hello.
   *
   * @param options `prefix` and `status`: which clients; and when to stop waiting
   * @returns Their number
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  count(options: Pick<ListRequest, "prefix" | "status"> & CallOptions = {}): Promise<number> {
    return this.call("count", options, (connection, rest) => connection.count({ ...options, ...rest }));
  }

  /**
   * Reads one client's record. Needs the Hello.
   *
   * @param id Its identifier
   * @param options When to stop waiting
   * @returns The record; `null` if there is no such client
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  fetch(id: string, options: CallOptions = {}): Promise<ListRecord | null> {
    return this.call("fetch", options, (connection, rest) => connection.fetch(id, rest));
  }

  /**
   * Sets an entry without a connection, whole or not at all. It is *detached*, which means that nobody is missing, and
   * leaves when its time is over. Needs the Hello.
   *
   * @param name Its name
   * @param state Its state; a string is sent as UTF-8
   * @param options `for`: how long it stays, in seconds; `takeover`: whether to take the name from a connected client;
   *   `issued`: when this was decided, in milliseconds since 1970, so that what was decided earlier never overwrites it;
   *   `if`: the revision of the entry to replace, 0 for none; and when to stop waiting
   * @returns The entry's identifier, revision and end
   * @throws {TrackerError} NAME_TAKEN, SUPERSEDED, KICKED, TOO_MANY_CLIENTS, TOO_MUCH_STATE or STATE_TOO_LARGE, after which
   *   the entry is as it was; BAD_ARGUMENT without a Hello, and as {@linkcode get}
   *
   * @example A job that runs every hour
   * ```ts
   * import { connect, serve } from "@tracker/tracker";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = serve({ port: 0 });
   * await using client = await connect({ port: server.addr.port });
   * await client.put("backup", "done, 12 GB", { for: 5_400 });
   * assertEquals(server.registry.get("backup")?.status, "detached");
   * assertEquals(await client.drop("backup"), true);
   * ```
   */
  put(name: string, state: string | Uint8Array, options: PutOptions): Promise<PutReply> {
    return this.call("put", options, (connection, rest) => connection.put(name, state, { ...options, ...rest }));
  }

  /**
   * Removes the entry of a name. Needs the Hello.
   *
   * @param name The name
   * @param options `takeover`: whether to end a client that is connected; `if`: the revision that is meant; and when to stop
   *   waiting
   * @returns Whether there was one
   * @throws {TrackerError} NAME_TAKEN or SUPERSEDED; BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  drop(name: string, options: DropOptions = {}): Promise<boolean> {
    return this.call("drop", options, (connection, rest) => connection.drop(name, { ...options, ...rest }));
  }

  /**
   * Ends a client, which does not come back by itself. Needs the Hello, and a token that is for administrators where the
   * server requires tokens.
   *
   * @param id The client's identifier
   * @param options `for`: for how long it is refused, in seconds; `reason`: what to tell it; and when to stop waiting
   * @returns Whether there was such a client
   * @throws {TrackerError} UNAUTHORIZED or TOO_MANY_CLIENTS; BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  kick(id: string, options: KickOptions = {}): Promise<boolean> {
    return this.call("kick", options, (connection, rest) => connection.kick(id, { ...options, ...rest }));
  }

  /**
   * Measures a round trip to the server. Needs the Hello.
   *
   * @param options When to stop waiting
   * @returns How long the answer took, in milliseconds
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  ping(options: CallOptions = {}): Promise<number> {
    return this.call("ping", options, (connection, rest) => connection.ping(rest));
  }

  /**
   * Reads the server's statistics. Needs the Hello.
   *
   * @param options When to stop waiting
   * @returns The counts since the server's start, and its current load
   * @throws {TrackerError} BAD_ARGUMENT without a Hello, and as {@linkcode get}
   */
  stats(options: CallOptions = {}): Promise<Stats> {
    return this.call("ask for stats", options, (connection, rest) => connection.stats(rest));
  }

  /** @internal Makes a call that needs the Hello on the present connection, or on the next. */
  protected abstract call<T>(
    call: string,
    options: CallOptions,
    use: (connection: Connection, rest: CallOptions) => Promise<T>,
  ): Promise<T>;
}
