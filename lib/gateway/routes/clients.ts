/**
 * `/clients` and `/clients/{id}`: the messages List, Fetch, Put, Drop and Kick.
 *
 * @module
 */

import { EMPTY } from "../../base/bytes.ts";
import type { Pieces } from "../../base/pieces.ts";
import { TrackerError } from "../../errors.ts";
import { badRequest, HttpError } from "../../http/http_error.ts";
import type { Choice } from "../../map/selection.ts";
import { PUT_RANGE, type Status, STATUSES } from "../../protocol.ts";
import { dropEntry, kickClient, putEntry } from "../../server/entries.ts";
import { narrowed } from "../../server/reading.ts";
import { requireUnder } from "../../server/requester.ts";
import { encodePut, type KickRequest, parseDrop, parseKick, parsePut } from "../../wire/entry_requests.ts";
import { encodeJson, parseObject } from "../../wire/json.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { clientForm } from "../client_form.ts";
import { ClientList, Continued } from "../client_list.ts";
import { parseDuration } from "../duration.ts";
import { formatTag, isKnown, parseIfMatch } from "../entity_tag.ts";
import { whenChanged } from "../long_poll.ts";
import type { Call } from "../operation.ts";

/** How long a state stays unless the request says so, in seconds: as `tracker set` does. */
const DEFAULT_FOR = 300;

/** Longest page, in clients. */
export const MOST_ON_PAGE = 65_536;

/** GET /clients */
export function listClients(call: Call): Answer | Promise<Answer> {
  const { request, actor } = call;
  const prefix = narrowed(actor, request.parameter("prefix"));
  const status = statusOf(request.parameter("status"));
  const limit = request.integer("limit", 1, MOST_ON_PAGE);
  const after = request.parameter("after");
  const isCount = request.flag("count");
  return whenChanged(call, prefix ?? "", (headers) => {
    // Whoever may see nobody gets what there is to see.
    const choice = prefix === null ? null : { prefix, status };
    if (isCount) return counted(call, choice, headers);
    return listed(
      call,
      choice && { ...choice, after, limit: after === undefined ? limit : limit ?? MOST_ON_PAGE },
      headers,
    );
  });
}

async function counted({ site: { context } }: Call, choice: Choice | null, headers: string): Promise<Answer> {
  const { registry, turns } = context;
  if (choice === null) return jsonAnswer({ count: 0 }, { headers });
  if (choice.status === undefined) return jsonAnswer({ count: registry.countWith(choice.prefix) }, { headers });
  const selection = registry.select(choice);
  try {
    for (;;) {
      selection.resume();
      const measure = selection.measure();
      if (measure !== null) return jsonAnswer({ count: measure.count }, { headers });
      await turns.rest();
    }
  } finally {
    selection.release();
  }
}

function listed({ actor, site: { context: { registry } } }: Call, choice: Choice | null, headers: string): Answer {
  if (choice === null || registry.countWith(choice.prefix) === 0) {
    return jsonAnswer({ revision: registry.revision, clients: [] }, { headers });
  }
  const list = new ClientList(registry.select(choice), { actor, limit: choice.limit ?? 0 });
  return { status: 200, headers: `Content-Type: application/json\r\n${headers}`, body: shortened(list) };
}

/** A list that is short goes out at once, with its length; for a long one each piece is made when there is room for it. */
function shortened(list: ClientList): Uint8Array | Pieces {
  let first: Uint8Array = EMPTY;
  try {
    first = list.next() ?? EMPTY;
  } catch (error) {
    list.release();
    throw error;
  }
  if (!list.isDone) return new Continued(first, list);
  list.release();
  return first;
}

function statusOf(text: string | undefined): Status | undefined {
  const status = STATUSES.find((status) => status === text);
  if (text === undefined || status !== undefined) return status;
  throw badRequest(`the parameter status is none of ${STATUSES.join(", ")}`);
}

/** GET /clients/{id} */
export function fetchClient({ request, actor, id, site: { context: { registry } } }: Call): Answer {
  const entry = narrowed(actor, id) === id ? registry.get(id) : undefined;
  if (entry === undefined) throw notFound(id);
  const tag = formatTag({ incarnation: registry.incarnation, revision: entry.revision });
  const headers = `ETag: ${tag}\r\n`;
  if (isKnown(request.header("if-none-match"), tag)) return { status: 304, headers, body: null };
  return jsonAnswer(clientForm(entry, actor), { headers });
}

/** PUT /clients/{id} */
export function putClient(call: Call): Answer {
  const { request, actor, id, body, site: { context: { registry } } } = call;
  const seconds = parseDuration("for", request.parameter("for") ?? `${DEFAULT_FOR}`);
  const [least, most] = PUT_RANGE;
  if (seconds < least || seconds > most) throw badRequest(`the parameter for is not from ${least}s to ${most}s`);
  const issued = request.integer("issued");
  const condition = conditionOf(call);
  // The same rules as for a Put that comes as a message.
  const { request: put } = parsePut(encodePut({
    name: id,
    for: seconds,
    takeover: request.flag("takeover"),
    ...issued !== undefined && { issued },
    ...condition !== undefined && { if: condition },
  }));
  const isNew = registry.get(id) === undefined;
  const state = { bytes: body, start: 0, end: body.length };
  const { revision, until } = withPrecondition(condition, () => putEntry(actor, put, state));
  const headers = `ETag: ${formatTag({ incarnation: registry.incarnation, revision })}\r\n`;
  return jsonAnswer({ id, revision, until }, { status: isNew ? 201 : 200, headers });
}

/** DELETE /clients/{id} */
export function dropClient(call: Call): Answer {
  const { request, actor, id } = call;
  const condition = conditionOf(call);
  const drop = parseDrop(encodeJson({
    name: id,
    takeover: request.flag("takeover"),
    ...condition !== undefined && { if: condition },
  }));
  if (!withPrecondition(condition, () => dropEntry(actor, drop))) throw notFound(id);
  return jsonAnswer({ was: true });
}

/** POST /clients/{id}/kick */
export function kickOne({ actor, id, body, site: { context } }: Call): Answer {
  requireUnder(actor, id);
  const given = body.length === 0 ? {} : parseObject("Kick", body, "BAD_HELLO");
  const kick: KickRequest = parseKick(encodeJson({ ...given, id }));
  if (!kickClient(context, kick)) throw notFound(id);
  return jsonAnswer({ was: true });
}

/** The revision that a request is about; 0 if there must be none. */
function conditionOf({ request, id, site: { context: { registry } } }: Call): number | undefined {
  const match = request.header("if-match");
  const noneMatch = request.header("if-none-match");
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== "*" || match !== undefined) throw badRequest("its If-None-Match is not *, or not alone");
    return 0;
  }
  if (match === undefined) return undefined;
  const wanted = parseIfMatch(match, registry.incarnation);
  const present = registry.get(id)?.revision;
  if (wanted === "never" || present === undefined) throw preconditionFailed();
  return wanted === "any" ? present : wanted;
}

/** With a precondition, being too late is something else than without. */
function withPrecondition<T>(condition: number | undefined, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const isLate = condition !== undefined && error instanceof TrackerError && error.code === "SUPERSEDED";
    throw isLate ? preconditionFailed(error) : error;
  }
}

function preconditionFailed(cause?: unknown): HttpError {
  const message = "Cannot change client: it is not as the request says that it must be";
  return new HttpError("PRECONDITION_FAILED", message, { cause });
}

function notFound(id: string): HttpError {
  return new HttpError("NOT_FOUND", `Cannot find client: ${id} is not in the map`);
}
