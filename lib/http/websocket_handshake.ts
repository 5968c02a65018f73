/**
 * The handshake of a WebSocket.
 *
 * @module
 */

import { toBytes } from "../base/bytes.ts";
import { badRequest, HttpError } from "./http_error.ts";
import { type RequestHead, tokensOf } from "./request_head.ts";

/** What RFC 6455 appends to a client's key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The subprotocol, for clients that ask for one. */
const SUBPROTOCOL = "tracker";

/**
 * Checks that a request asks for a WebSocket, and makes the headers of the response.
 *
 * @param head The request
 * @returns The headers, each with its line end
 * @throws {HttpError} UPGRADE_REQUIRED if it asks for nothing of the kind, BAD_REQUEST if it does so in a wrong way
 */
export async function acceptWebSocket({ method, minor, headers }: RequestHead): Promise<string> {
  const isUpgrade = tokensOf(headers.get("connection")).includes("upgrade") &&
    tokensOf(headers.get("upgrade")).includes("websocket");
  if (method !== "GET" || minor === 0 || !isUpgrade || headers.get("sec-websocket-version") !== "13") {
    const message = "Cannot open WebSocket: the request does not ask for one of version 13";
    throw new HttpError("UPGRADE_REQUIRED", message, {
      headers: "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    });
  }
  const key = headers.get("sec-websocket-key") ?? "";
  // Sixteen bytes in base64.
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key)) throw badRequest("its Sec-WebSocket-Key is not 16 bytes in base64");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", toBytes(key + GUID) as Uint8Array<ArrayBuffer>));
  const wants = tokensOf(headers.get("sec-websocket-protocol")).includes(SUBPROTOCOL);
  return "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${btoa(String.fromCharCode(...digest))}\r\n` +
    (wants ? `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n` : "");
}
