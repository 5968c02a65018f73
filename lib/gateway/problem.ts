/**
 * Why a request is refused, as RFC 9457 writes it.
 *
 * @module
 */

import { safeJson } from "../base/text.ts";
import { toBytes } from "../base/bytes.ts";
import { type ErrorCode, TrackerError, type WireErrorCode } from "../errors.ts";
import { HttpError } from "../http/http_error.ts";
import { phraseOf } from "../http/response_head.ts";
import type { Answer } from "./answer.ts";

/** The status for each code of the wire. */
const STATUS_OF: Readonly<Record<WireErrorCode, number>> = {
  BAD_MAGIC: 400,
  BAD_VERSION: 400,
  BAD_TYPE: 400,
  STATE_TOO_LARGE: 413,
  TOO_MANY_CLIENTS: 503,
  RATE_LIMITED: 429,
  TIMEOUT: 408,
  BAD_HELLO: 400,
  NAME_TAKEN: 409,
  SUPERSEDED: 409,
  KICKED: 403,
  UNAVAILABLE: 503,
  TAKEN_OVER: 409,
  UNAUTHORIZED: 403,
  TOO_MUCH_STATE: 507,
  SLOW_CONSUMER: 503,
  SHUTTING_DOWN: 503,
};

/** How long to wait before trying again, in seconds. */
const RETRY_AFTER = 5;

/**
 * Answers a request that is refused.
 *
 * @param error Why
 * @returns The answer; anything but a refusal is a fault of the server's own, and answered without its text
 */
export function problemAnswer(error: unknown): Answer {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message, error.headers);
  if (error instanceof TrackerError) {
    const status = statusOf(error.code);
    return problem(status, error.code, error.message, status === 503 || status === 429 ? retryHeader() : "");
  }
  return problem(500, "INTERNAL_ERROR", "Cannot answer request: the server has a fault");
}

/** The status for a code; a code that is not of the wire is a fault of the server's own. */
function statusOf(code: ErrorCode): number {
  return Object.hasOwn(STATUS_OF, code) ? STATUS_OF[code as WireErrorCode] : 500;
}

function retryHeader(): string {
  return `Retry-After: ${RETRY_AFTER}\r\n`;
}

function problem(status: number, code: string, detail: string, headers = ""): Answer {
  const body = { type: "about:blank", title: phraseOf(status), status, code, detail };
  return {
    status,
    headers: `Content-Type: application/problem+json\r\n${headers}`,
    body: toBytes(`${safeJson(body)}\n`),
  };
}
