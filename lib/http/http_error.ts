/**
 * What can be wrong with a request before it is one of Tracker's: its own codes, each with its status.
 *
 * @module
 */

/** What is known of a code. */
interface HttpErrorTraits {
  /** The status of the response. */
  readonly status: number;
  /** What it means. */
  readonly meaning: string;
}

/** Every code, in the order in which the documentation lists them. */
const HTTP_ERRORS = {
  BAD_REQUEST: { status: 400, meaning: "the request is not HTTP/1.1 as it must be, or a parameter cannot be used" },
  TOKEN_NEEDED: { status: 401, meaning: "the request shows no token, or one that is not known here" },
  FORBIDDEN_ORIGIN: { status: 403, meaning: "the page that asks is from another site; see --allow-origin" },
  FORBIDDEN_NETWORK: { status: 403, meaning: "HTTP is not spoken with this network; see --http-from" },
  NOT_FOUND: { status: 404, meaning: "there is no such route, or no such client" },
  METHOD_NOT_ALLOWED: {
    status: 405,
    meaning: "the route does not have this method; the header Allow lists those it has",
  },
  REQUEST_TIMEOUT: { status: 408, meaning: "the request did not come in time" },
  LENGTH_REQUIRED: { status: 411, meaning: "a body needs a Content-Length; chunked ones are not taken" },
  PRECONDITION_FAILED: { status: 412, meaning: "the client is not at the revision that If-Match names" },
  BODY_TOO_LARGE: { status: 413, meaning: "the body is longer than the route takes" },
  EXPECTATION_FAILED: { status: 417, meaning: "the header Expect asks for something other than 100-continue" },
  WRONG_HOST: { status: 421, meaning: "the header Host names another machine than this one; see --allow-origin" },
  UPGRADE_REQUIRED: { status: 426, meaning: "the route speaks WebSocket, version 13" },
  HEAD_TOO_LARGE: { status: 431, meaning: "the request line and the headers are longer than 8 KiB, or more than 64" },
  INTERNAL_ERROR: { status: 500, meaning: "a fault of the server; its log has it" },
  NOT_IMPLEMENTED: { status: 501, meaning: "no route has this method" },
  HTTP_VERSION: { status: 505, meaning: "the version of HTTP is neither 1.1 nor 1.0" },
} as const satisfies Record<string, HttpErrorTraits>;

/** A code of {@linkcode HTTP_ERRORS}. */
export type HttpErrorCode = keyof typeof HTTP_ERRORS;

/** Options for {@linkcode HttpError}. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Headers of the response, each with its line end. */
  headers?: string;
}

/** Why a request is refused. */
export class HttpError extends Error {
  /** What is wrong with it, for programs. */
  readonly code: HttpErrorCode;
  /** Headers of the response, each with its line end. */
  readonly headers: string;

  /**
   * @param code What is wrong, for programs
   * @param message What is wrong, for people
   * @param options The headers of the response
   */
  constructor(code: HttpErrorCode, message: string, { headers = "", ...options }: HttpErrorOptions = {}) {
    super(message, options);
    this.name = "HttpError";
    this.code = code;
    this.headers = headers;
  }

  /** The status of the response. */
  get status(): number {
    return HTTP_ERRORS[this.code].status;
  }
}

/**
 * Makes the error of a request that is not as it must be.
 *
 * @param why What is wrong
 * @returns BAD_REQUEST
 */
export function badRequest(why: string): HttpError {
  return new HttpError("BAD_REQUEST", `Cannot take request: ${why}`);
}
