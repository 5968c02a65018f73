/**
 * Which operation a request is for.
 *
 * @module
 */

import { badRequest, HttpError } from "../http/http_error.ts";
import type { Operation, Route } from "./operation.ts";

/** An operation, and the identifier in the path. */
export interface Match {
  /** The operation; `null` for a question about the route itself. */
  readonly operation: Operation | null;
  /** The identifier; empty if the route has none. */
  readonly id: string;
  /** The methods that the route has, as the header Allow lists them. */
  readonly methods: string;
}

/** A route that is ready to be found. */
interface Prepared {
  readonly route: Route;
  readonly methods: string;
}

/** Finds operations. */
export class Router {
  /** By path; `{id}` stands for whatever is there. */
  readonly #routes: ReadonlyMap<string, Prepared>;

  /** @param routes The routes */
  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.path, { route, methods: methodsOf(route) }]));
  }

  /**
   * Finds an operation.
   *
   * @param method The method
   * @param path The path, still encoded
   * @returns The operation
   * @throws {HttpError} NOT_FOUND, METHOD_NOT_ALLOWED, NOT_IMPLEMENTED, or BAD_REQUEST for a path that cannot be decoded
   */
  match(method: string, path: string): Match {
    // About the server as a whole.
    if (path === "*") return { operation: null, id: "", methods: "GET, HEAD, PUT, POST, DELETE, OPTIONS" };
    const parts = path.split("/");
    const isOfClient = parts[1] === "clients" && parts.length > 2 && parts[2] !== "";
    const key = isOfClient ? parts.with(2, "{id}").join("/") : path;
    const found = this.#routes.get(key);
    if (found === undefined) throw new HttpError("NOT_FOUND", `Cannot find route: there is no ${path}`);
    const { route, methods } = found;
    const id = isOfClient ? decode(parts[2]!) : "";
    if (method === "OPTIONS") return { operation: null, id, methods };
    const operation = route.methods[method === "HEAD" ? "GET" : method];
    if (operation === undefined) throw notAllowed(method, path, methods);
    return { operation, id, methods };
  }
}

function methodsOf({ methods }: Route): string {
  const names = Object.keys(methods);
  return [...names, ...names.includes("GET") ? ["HEAD"] : [], "OPTIONS"].join(", ");
}

function notAllowed(method: string, path: string, methods: string): HttpError {
  if (!/^(?:GET|HEAD|PUT|POST|DELETE|PATCH)$/.test(method)) {
    return new HttpError("NOT_IMPLEMENTED", `Cannot answer request: no route has the method ${method}`);
  }
  const message = `Cannot answer request: ${path} has ${methods}, and not ${method}`;
  return new HttpError("METHOD_NOT_ALLOWED", message, { headers: `Allow: ${methods}\r\n` });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest("its path has a percent sign that is no encoding of UTF-8");
  }
}
