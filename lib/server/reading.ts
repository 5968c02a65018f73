/**
 * The answers to those who read the map: a List, a Fetch, and the Get of a client that may see only a part.
 *
 * @module
 */

import { unauthorized } from "../auth/access.ts";
import type { Pieces } from "../base/pieces.ts";
import { EMPTY } from "../base/bytes.ts";
import type { Feed } from "../feed/feed.ts";
import type { Watcher } from "../feed/watcher.ts";
import type { Selection } from "../map/selection.ts";
import { ListPieces } from "../wire/list_pieces.ts";
import { encodeCount } from "../wire/list_writer.ts";
import { parseFetch } from "../wire/entry_requests.ts";
import { type ListRequest, parseList, type WatchRequest } from "../wire/requests.ts";
import { requireWatcherRoom } from "./context.ts";
import { PartialMap } from "./partial_map.ts";
import type { Actor, Requester } from "./requester.ts";

/**
 * Begins a watch.
 *
 * @param actor Whoever watches
 * @param feed The feed, whose encoder makes what the watcher reads
 * @param request What to watch
 * @param onNews Called when there is something to take
 * @returns The watcher
 * @throws {TrackerError} TOO_MANY_CLIENTS if there are too many watchers; UNAUTHORIZED if it may see none of that
 */
export function beginWatch(actor: Actor, feed: Feed, request: WatchRequest, onNews: () => void): Watcher {
  requireWatcherRoom(actor.context, "watch");
  const prefix = narrowed(actor, request.prefix);
  if (prefix === null) throw unauthorized("the token is bound to identifiers of another beginning");
  return feed.watch({ ...request, prefix }, onNews);
}

/**
 * Finds the part of the map that a client asks for and may see.
 *
 * @param actor Whoever asks
 * @param prefix With what the identifiers begin that it asks for
 * @returns With what those begin that it gets; `null` if it may see none of them
 */
export function narrowed({ grant }: Pick<Actor, "grant">, prefix = ""): string | null {
  const bound = grant?.prefix ?? "";
  if (prefix.startsWith(bound)) return prefix;
  return bound.startsWith(prefix) ? bound : null;
}

/** Answers a List. */
export function list(session: Requester, payload: Uint8Array): void {
  const { context: { lists, registry }, replies } = session;
  const request = parseList(payload);
  const prefix = narrowed(session, request.prefix);
  const isWhole = request.status === undefined && request.after === undefined;
  const most = prefix === null ? 0 : registry.countWith(prefix);
  if (request.count && (isWhole || most === 0)) return replies.add(encodeCount(most));
  // Asking for nobody is the cheapest way to keep a server busy, so it gets no more than it takes.
  if (prefix === null || most === 0) {
    lists.begin(registry.revision);
    return replies.add(lists.finish());
  }
  if (request.count) return replies.add(new CountPieces(registry.select({ ...request, prefix, limit: undefined })));
  const pieces = new ListPieces(lists, registry.select({ ...request, prefix }), detailsOf(session, request));
  replies.add(pieces.whole() ?? pieces);
}

/** Who may end others may know where they are. */
function detailsOf({ permission }: Requester, { details }: ListRequest): "none" | "some" | "all" {
  if (!details) return "none";
  return permission === "admin" ? "all" : "some";
}

/** Answers a Fetch. */
export function fetch(session: Requester, payload: Uint8Array): void {
  const { context: { lists, registry }, replies } = session;
  const { id } = parseFetch(payload);
  const entry = narrowed(session, id) === id ? registry.get(id) : undefined;
  lists.begin(registry.revision);
  if (entry !== undefined) lists.record(entry);
  replies.add(lists.finish());
}

/** Answers the Get of a client that may see only a part of the map. */
export function getPart({ context: { registry }, dialect, grant, replies }: Requester): void {
  replies.add(new PartialMap(registry.select({ prefix: grant?.prefix ?? "" }), dialect));
}

/** The number of clients in a selection, which may take several steps to count. */
class CountPieces implements Pieces {
  readonly #selection: Selection;
  #isDone = false;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  next(): Uint8Array | null {
    if (this.#isDone) return null;
    this.#selection.resume();
    const measure = this.#selection.measure();
    if (measure === null) return EMPTY;
    this.#isDone = true;
    return encodeCount(measure.count);
  }

  release(): void {
    this.#selection.release();
  }
}
