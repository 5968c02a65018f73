/**
 * Every route.
 *
 * @module
 */

import { DROP, FETCH, GET, KICK, LIST, PUT, STATS, STATUSES, WATCH } from "../../protocol.ts";
import type { Operation, Parameter, Route } from "../operation.ts";
import { dropClient, fetchClient, kickOne, listClients, MOST_ON_PAGE, putClient } from "./clients.ts";
import { flatMap } from "./map.ts";
import { index, live, metrics, openApi, ready, ticket } from "./server.ts";
import { watchEvents } from "./watch.ts";
import { openWebSocket } from "./web_socket.ts";

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;
const JSON_TYPE = "application/json";

const PREFIX: Parameter = { description: "only clients whose identifier begins with this", schema: TEXT };

const WAITING: Readonly<Record<string, Parameter>> = {
  wait: { description: "answer only when the map is at another revision than this, or entity tag", schema: TEXT },
  timeout: { description: "how long to wait, such as 30s, which is the default; at most 60s", schema: TEXT },
  "If-None-Match": { description: "entity tags that are known", schema: TEXT, in: "header" },
};

const TAKEOVER: Parameter = { description: "whether to take the name from a connected client", schema: FLAG };

const IF_MATCH: Parameter = {
  description: "the entity tag, or revision, of the client that is meant; * for any",
  schema: TEXT,
  in: "header",
};

const UNCHANGED = { description: "nothing has changed" } as const;
const GONE = { description: "there is no such client" } as const;
const CONFLICT = { description: "another client has the name, or something later has been there already" } as const;
const FAILED = { description: "the client is at another revision" } as const;

const CLIENTS: Operation = {
  name: "listClients",
  summary: "the clients, in the order in which they opened; a page in order of identifier",
  right: LIST,
  parameters: {
    prefix: PREFIX,
    status: { description: "only clients of this status", schema: { type: "string", enum: STATUSES } },
    limit: {
      description: "the length of a page",
      schema: { type: "integer", minimum: 1, maximum: MOST_ON_PAGE },
    },
    after: { description: "the page after this identifier, which is next of the page before", schema: TEXT },
    count: { description: "only their number", schema: FLAG },
    ...WAITING,
  },
  responses: { 200: { description: "the clients", type: JSON_TYPE, schema: "List" }, 304: UNCHANGED },
  handle: listClients,
};

const CLIENT: Operation = {
  name: "fetchClient",
  summary: "one client",
  right: FETCH,
  parameters: { "If-None-Match": WAITING["If-None-Match"]! },
  responses: {
    200: { description: "the client", type: JSON_TYPE, schema: "Client" },
    304: UNCHANGED,
    404: GONE,
  },
  handle: fetchClient,
};

const SET: Operation = {
  name: "setClient",
  summary: "sets a state that stays without a connection, as tracker set does",
  right: PUT,
  body: "state",
  parameters: {
    for: { description: "how long it stays, such as 5m, which is the default; from 1s to 24h", schema: TEXT },
    takeover: TAKEOVER,
    issued: {
      description: "when it was made, in milliseconds since 1970: one that was made later is not replaced",
      schema: { type: "integer", minimum: 0 },
    },
    "If-Match": IF_MATCH,
    "If-None-Match": { description: "* if there must be no such client yet", schema: TEXT, in: "header" },
  },
  responses: {
    200: { description: "it has replaced another", type: JSON_TYPE, schema: "Set" },
    201: { description: "it is new", type: JSON_TYPE, schema: "Set" },
    409: CONFLICT,
    412: FAILED,
  },
  handle: putClient,
};

const DROPPED: Operation = {
  name: "dropClient",
  summary: "removes a client, as tracker unset does",
  right: DROP,
  parameters: { takeover: TAKEOVER, "If-Match": IF_MATCH },
  responses: {
    200: { description: "it is gone", type: JSON_TYPE, schema: "Removal" },
    404: GONE,
    409: CONFLICT,
    412: FAILED,
  },
  handle: dropClient,
};

const KICKED: Operation = {
  name: "kickClient",
  summary: "ends a client, and refuses it for a while, as tracker kick does",
  right: KICK,
  body: "json",
  responses: { 200: { description: "it is gone", type: JSON_TYPE, schema: "Removal" }, 404: GONE },
  handle: kickOne,
};

const MAP: Operation = {
  name: "getMap",
  summary: "the flattened map, {id=state, id=state}, byte for byte",
  right: GET,
  parameters: WAITING,
  responses: { 200: { description: "the map", type: "application/octet-stream" }, 304: UNCHANGED },
  handle: flatMap,
};

const EVENTS: Operation = {
  name: "watch",
  summary: "every change as it happens, as Server-Sent Events",
  right: WATCH,
  takesTicket: true,
  parameters: {
    prefix: PREFIX,
    since: { description: "where an earlier watch ended, as INCARNATION:REVISION", schema: TEXT },
    ticket: { description: "a ticket in place of a token", schema: TEXT },
    "Last-Event-ID": { description: "the same as since, as a browser sends it", schema: TEXT, in: "header" },
  },
  responses: { 200: { description: "the events, without end", type: "text/event-stream" } },
  handle: watchEvents,
};

const WEB_SOCKET: Operation = {
  name: "openWebSocket",
  summary: "Tracker's own messages, in the binary frames of a WebSocket",
  right: null,
  responses: {
    101: { description: "what follows is a WebSocket" },
    426: { description: "the request asks for no WebSocket of version 13" },
  },
  handle: openWebSocket,
};

const METRICS: Operation = {
  name: "getMetrics",
  summary: "metrics, as OpenMetrics or in the format of Prometheus",
  right: STATS,
  responses: { 200: { description: "the metrics", type: "text/plain" } },
  handle: metrics,
};

const TICKET: Operation = {
  name: "getTicket",
  summary: "a ticket, with which a browser's EventSource can watch once, within 30 seconds",
  right: WATCH,
  responses: { 201: { description: "the ticket", type: JSON_TYPE, schema: "Ticket" } },
  handle: ticket,
};

const LIVE: Operation = {
  name: "isLive",
  summary: "whether the server answers at all",
  right: null,
  responses: { 200: { description: "it does", type: JSON_TYPE, schema: "Health" } },
  handle: live,
};

const READY: Operation = {
  name: "isReady",
  summary: "whether the server takes connections",
  right: null,
  responses: {
    200: { description: "it does", type: JSON_TYPE, schema: "Health" },
    503: { description: "it is being stopped", type: JSON_TYPE, schema: "Health" },
  },
  handle: ready,
};

const OPEN_API: Operation = {
  name: "describe",
  summary: "this description, as OpenAPI 3.1",
  right: null,
  responses: { 200: { description: "the description", type: JSON_TYPE } },
  handle: openApi,
};

const INDEX: Operation = {
  name: "index",
  summary: "a page that lists all this",
  right: null,
  responses: { 200: { description: "the page", type: "text/html" } },
  handle: index,
};

/** Every route, in the order in which they are listed. */
export const ROUTES: readonly Route[] = [
  { path: "/", methods: { GET: INDEX } },
  { path: "/clients", methods: { GET: CLIENTS } },
  { path: "/clients/{id}", methods: { GET: CLIENT, PUT: SET, DELETE: DROPPED } },
  { path: "/clients/{id}/kick", methods: { POST: KICKED } },
  { path: "/map", methods: { GET: MAP } },
  { path: "/watch", methods: { GET: EVENTS } },
  { path: "/ws", methods: { GET: WEB_SOCKET } },
  { path: "/ticket", methods: { POST: TICKET } },
  { path: "/health/live", methods: { GET: LIVE } },
  { path: "/health/ready", methods: { GET: READY } },
  { path: "/metrics", methods: { GET: METRICS } },
  { path: "/openapi.json", methods: { GET: OPEN_API } },
];
