/**
 * Answers that wait for a change: `?wait=REVISION`.
 *
 * @module
 */

import type { Registry } from "../map/registry.ts";
import { badRequest } from "../http/http_error.ts";
import { requireWatcherRoom } from "../server/context.ts";
import type { Answer } from "./answer.ts";
import { parseDuration } from "./duration.ts";
import { formatTag, isKnown, parsePosition } from "./entity_tag.ts";
import type { Call } from "./operation.ts";

/** How long a request waits unless it says so, in milliseconds. */
const DEFAULT_WAIT = 30_000;

/** How long a request may wait, in milliseconds. */
const LONGEST_WAIT = 60_000;

/**
 * Answers with something that has the map's revision: at once, or after a change if the request waits for one. Who has
 * it already is told so.
 *
 * @param call The request
 * @param prefix With what the identifiers begin whose changes count
 * @param answer Makes the answer, with headers that are given to it
 * @returns The answer
 * @throws {HttpError} BAD_REQUEST if a parameter cannot be used
 */
export function whenChanged(
  call: Call,
  prefix: string,
  answer: (headers: string) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const { site: { context: { registry } } } = call;
  const wanted = call.request.parameter("wait");
  const given = call.request.parameter("timeout");
  const timeout = given === undefined ? DEFAULT_WAIT : parseDuration("timeout", given) * 1_000;
  if (timeout > LONGEST_WAIT) throw badRequest(`the parameter timeout is above ${LONGEST_WAIT / 1_000}s`);
  if (wanted === undefined || isPast(wanted, registry)) return conditional(call, answer);
  return wait(call, prefix, timeout, answer);
}

async function wait(
  { site: { context, waiters } }: Call,
  prefix: string,
  timeout: number,
  answer: (headers: string) => Answer | Promise<Answer>,
): Promise<Answer> {
  const { registry } = context;
  requireWatcherRoom(context, "wait", waiters.size);
  if (timeout !== 0 && await waiters.wait(prefix, timeout)) return await answer(tagHeaders(registry));
  return unchanged(registry);
}

function conditional(
  { request, site: { context: { registry } } }: Call,
  answer: (headers: string) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  return isKnown(request.header("if-none-match"), formatTag(registry))
    ? unchanged(registry)
    : answer(tagHeaders(registry));
}

function unchanged(registry: Registry): Answer {
  return { status: 304, headers: tagHeaders(registry), body: null };
}

function tagHeaders(registry: Registry): string {
  return `ETag: ${formatTag(registry)}\r\nVary: Authorization\r\n`;
}

/** Whether the map is at another revision than the one that a client has. */
function isPast(text: string, { incarnation, revision }: Registry): boolean {
  if (/^\d{1,15}$/.test(text)) return Number(text) !== revision;
  const position = parsePosition(text.replace(/^"(.*)"$/, "$1"));
  if (position === null) throw badRequest("the parameter wait is neither a revision nor an entity tag");
  return position.incarnation !== incarnation || position.revision !== revision;
}
