/**
 * `/watch`: the message Watch, as Server-Sent Events.
 *
 * @module
 */

import { toBytes } from "../../base/bytes.ts";
import { badRequest } from "../../http/http_error.ts";
import { beginWatch } from "../../server/reading.ts";
import type { Answer } from "../answer.ts";
import { parsePosition } from "../entity_tag.ts";
import type { Call } from "../operation.ts";

/** After how long a browser connects again, in milliseconds: at least, and how much more at most, so that not all come at once. */
const RETRY = 1_000;
const RETRY_JITTER = 2_000;

/** GET /watch */
export function watchEvents({ request, actor, site }: Call): Answer {
  const since = positionOf(request.header("last-event-id"), request.parameter("since"));
  const prefix = request.parameter("prefix");
  const scope = { ...prefix !== undefined && { prefix }, ...since !== null && { since } };
  const retry = RETRY + Math.floor(Math.random() * RETRY_JITTER);
  return {
    status: 200,
    headers: "Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n",
    body: {
      preface: toBytes(`retry: ${retry}\n\n`),
      begin: (onNews) => beginWatch(actor, site.feed, scope, onNews),
    },
  };
}

/** A browser repeats the last `id` that it was sent, whatever that was; what stands in a URL was written by somebody. */
function positionOf(lastEventId: string | undefined, since: string | undefined) {
  const last = parsePosition(lastEventId ?? "");
  if (last !== null || since === undefined) return last;
  const position = parsePosition(since);
  if (position === null) throw badRequest("the parameter since is not INCARNATION:REVISION");
  return position;
}
