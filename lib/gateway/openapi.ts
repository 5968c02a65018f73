/**
 * The routes, described as OpenAPI 3.1.
 *
 * @module
 */

import { LEAVE_CAUSES, STATUSES } from "../protocol.ts";
import { VERSION } from "../version.ts";
import type { Operation, Parameter, ResponseDoc, Route } from "./operation.ts";

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: "string" };
const INTEGER: Schema = { type: "integer", minimum: 0 };
const TEXT_OR_NULL: Schema = { type: ["string", "null"] };

function objectOf(properties: Schema, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", required, properties };
}

/** What answers are made of. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  Client: objectOf({
    id: TEXT,
    status: { type: "string", enum: STATUSES },
    revision: { ...INTEGER, description: "the map's revision at its last change" },
    openedAt: { ...INTEGER, description: "milliseconds since 1970" },
    updatedAt: { ...INTEGER, description: "milliseconds since 1970" },
    until: { type: ["integer", "null"], description: "until when it stays without a connection" },
    address: { ...TEXT_OR_NULL, description: "where it is; null for those who may not know" },
    dialect: TEXT_OR_NULL,
    token: { ...TEXT_OR_NULL, description: "the name of its token" },
    state: TEXT,
    encoding: { type: "string", const: "base64", description: "there if the state is not UTF-8" },
  }, ["encoding"]),
  List: objectOf({
    revision: INTEGER,
    clients: { type: "array", items: { $ref: "#/components/schemas/Client" } },
    next: { ...TEXT, description: "what to give as after for the next page; there if the page is full" },
    count: { ...INTEGER, description: "in place of the rest if only the number was asked for" },
  }, ["revision", "clients", "next", "count"]),
  Set: objectOf({ id: TEXT, revision: INTEGER, until: { ...INTEGER, description: "milliseconds since 1970" } }),
  Kick: objectOf({
    for: { type: "number", minimum: 0, maximum: 86_400, description: "for how long it is refused, in seconds" },
    reason: { ...TEXT, maxLength: 128 },
  }, ["for", "reason"]),
  Removal: objectOf({ was: { type: "boolean" } }),
  Ticket: objectOf({ ticket: TEXT, expiresIn: { ...INTEGER, description: "seconds" } }),
  Health: objectOf({ status: TEXT }),
  Event: objectOf({
    event: TEXT,
    revision: INTEGER,
    id: TEXT,
    state: TEXT,
    cause: { type: "string", enum: LEAVE_CAUSES },
  }, ["id", "state", "cause"]),
  Problem: objectOf({
    type: TEXT,
    title: TEXT,
    status: INTEGER,
    code: { ...TEXT, description: "made for programs" },
    detail: { ...TEXT, description: "made for people" },
  }),
};

/**
 * Describes routes.
 *
 * @param routes The routes
 * @returns A document of OpenAPI 3.1, whose server is where it was found
 */
export function describeRoutes(routes: readonly Route[]): Schema {
  const paths = routes.map(({ path, methods }) => {
    const operations = Object.entries(methods).map(([method, operation]) => [
      method.toLowerCase(),
      describe(operation, path.includes("{id}")),
    ]);
    return [path, Object.fromEntries(operations)];
  });
  return {
    openapi: "3.1.0",
    info: { title: "Tracker", version: VERSION, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "." }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function describe({ name, summary, right, body, parameters = {}, responses }: Operation, hasId: boolean): Schema {
  const listed = Object.entries(parameters).map(([name, parameter]) => describeParameter(name, parameter));
  const id = { name: "id", in: "path", required: true, schema: TEXT, description: "the client's identifier" };
  return {
    operationId: name,
    summary,
    parameters: hasId ? [id, ...listed] : listed,
    ...body !== undefined && { requestBody: { content: contentOf(body) } },
    responses: {
      ...Object.fromEntries(Object.entries(responses).map(([status, doc]) => [status, describeResponse(doc)])),
      default: describeResponse({ description: "why not", type: "application/problem+json", schema: "Problem" }),
    },
    // Where the server has no tokens, none is needed.
    security: right === null ? [{}] : [{}, { token: [] }],
  };
}

function describeParameter(name: string, { description, schema, in: place = "query" }: Parameter): Schema {
  return { name, in: place, description, schema };
}

function contentOf(body: "state" | "json"): Schema {
  if (body === "state") return { "application/octet-stream": {} };
  return { "application/json": { schema: { $ref: "#/components/schemas/Kick" } } };
}

function describeResponse({ description, type, schema }: ResponseDoc): Schema {
  if (type === undefined) return { description };
  return {
    description,
    content: { [type]: schema === undefined ? {} : { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}
