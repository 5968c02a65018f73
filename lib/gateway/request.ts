/**
 * A request, as the routes see it, whichever way it came.
 *
 * @module
 */

import { badRequest } from "../http/http_error.ts";
import type { RequestHead } from "../http/request_head.ts";
import type { SocketAddress } from "../transport/listener.ts";

/** What a request is made of. */
export interface RequestParts {
  /** Its method. */
  readonly method: string;
  /** Its path, perhaps with a query. */
  readonly target: string;
  /** Finds a header by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** Where it comes from. */
  readonly peer: SocketAddress;
  /** Its head, if it came on a connection that can become something else. */
  readonly head?: RequestHead | null;
}

/** A request without its body. */
export class GatewayRequest {
  /** Its method. */
  readonly method: string;
  /** Its path, still encoded. */
  readonly path: string;
  /** Finds a header by its name in lower case. */
  readonly header: (name: string) => string | undefined;
  /** Where it comes from. */
  readonly peer: SocketAddress;
  /** Its head, if it came on a connection that can become something else; else `null`. */
  readonly head: RequestHead | null;
  readonly #query: string;
  #parameters: URLSearchParams | null = null;

  /** @param parts What it is made of */
  constructor({ method, target, header, peer, head = null }: RequestParts) {
    const at = target.indexOf("?");
    this.method = method;
    this.path = at === -1 ? target : target.slice(0, at);
    this.#query = at === -1 ? "" : target.slice(at + 1);
    this.header = header;
    this.peer = peer;
    this.head = head;
  }

  /**
   * Finds a parameter of the query.
   *
   * @param name Its name
   * @returns Its value; `undefined` if it is not there
   * @throws {HttpError} BAD_REQUEST if it is there twice
   */
  parameter(name: string): string | undefined {
    if (this.#query === "") return undefined;
    const values = (this.#parameters ??= new URLSearchParams(this.#query)).getAll(name);
    if (values.length > 1) throw badRequest(`the parameter ${name} is given twice`);
    return values[0];
  }

  /**
   * Finds a parameter that is a whole number.
   *
   * @param name Its name
   * @param low The least it may be
   * @param high The most it may be
   * @returns The number; `undefined` if it is not there
   * @throws {HttpError} BAD_REQUEST if it is anything else
   */
  integer(name: string, low = 0, high = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.parameter(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw badRequest(`the parameter ${name} is no integer from ${low} to ${high}`);
  }

  /**
   * Finds a parameter that is on or off.
   *
   * @param name Its name
   * @returns Whether it is on: `true`, `1`, or there without a value
   * @throws {HttpError} BAD_REQUEST if it is anything else
   */
  flag(name: string): boolean {
    const text = this.parameter(name);
    if (text === undefined || text === "false" || text === "0") return false;
    if (text === "" || text === "true" || text === "1") return true;
    throw badRequest(`the parameter ${name} is neither true nor false`);
  }
}
