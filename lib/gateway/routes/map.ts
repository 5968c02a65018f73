/**
 * `/map`: the message Get.
 *
 * @module
 */

import { PIECE_BYTES } from "../../base/pieces.ts";
import { PartialMap } from "../../server/partial_map.ts";
import type { Answer } from "../answer.ts";
import { whenChanged } from "../long_poll.ts";
import type { Call } from "../operation.ts";

/** GET /map */
export function flatMap(call: Call): Answer | Promise<Answer> {
  const { actor: { grant }, site: { context: { registry } } } = call;
  const prefix = grant?.prefix ?? "";
  return whenChanged(call, prefix, (tag) => {
    // States may be of any bytes, so it is no text.
    const headers = `Content-Type: application/octet-stream\r\n${tag}`;
    if (prefix !== "") return { status: 200, headers, body: new PartialMap(registry.select({ prefix }), null) };
    const length = registry.flatLength;
    if (length <= PIECE_BYTES) return { status: 200, headers, body: registry.flatten() };
    return { status: 200, headers, body: registry.flattenInPieces(), length };
  });
}
