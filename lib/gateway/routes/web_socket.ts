/**
 * `/ws`: Tracker's own messages, in the binary frames of a WebSocket.
 *
 * @module
 */

import { acceptWebSocket } from "../../http/websocket_handshake.ts";
import { HttpError } from "../../http/http_error.ts";
import type { Answer } from "../answer.ts";
import type { Call } from "../operation.ts";

/** GET /ws */
export async function openWebSocket({ request }: Call): Promise<Answer> {
  const { head } = request;
  if (head === null) {
    throw new HttpError("NOT_IMPLEMENTED", "Cannot open WebSocket: the program that answers has no connection for it");
  }
  return { status: 101, headers: await acceptWebSocket(head), body: null, isUpgrade: true };
}
