/**
 * What a route does for a method.
 *
 * @module
 */

import type { Feed } from "../feed/feed.ts";
import type { MessageType } from "../protocol.ts";
import type { SessionContext } from "../server/context.ts";
import type { Actor } from "../server/requester.ts";
import type { Answer } from "./answer.ts";
import type { GatewayRules } from "./options.ts";
import type { GatewayRequest } from "./request.ts";
import type { Tickets } from "./tickets.ts";
import type { Waiters } from "./waiters.ts";

/** What all requests to one server share. */
export interface Shared {
  /** What the server's connections share. */
  readonly context: SessionContext;
  /** What is allowed, and what is counted. */
  readonly rules: GatewayRules;
  /** Every route. */
  readonly routes: readonly Route[];
  /** Requests that wait for a change. */
  readonly waiters: Waiters;
  /** Tickets that have been given out. */
  readonly tickets: Tickets;
  /** What watchers are told, as text. */
  readonly feed: Feed;
}

/** A request that may be answered. */
export interface Call {
  /** The request. */
  readonly request: GatewayRequest;
  /** Whoever sends it. */
  readonly actor: Actor;
  /** The identifier in its path; empty if the route has none. */
  readonly id: string;
  /** Its body. */
  readonly body: Uint8Array;
  /** What all requests share. */
  readonly site: Shared;
}

/** A parameter of an operation, as its description tells of it. */
export interface Parameter {
  /** What it is for. */
  readonly description: string;
  /** Its JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Where it stands; in the query unless given. */
  readonly in?: "query" | "header";
}

/** A response of an operation, as its description tells of it. */
export interface ResponseDoc {
  /** What it means. */
  readonly description: string;
  /** Its media type. */
  readonly type?: string;
  /** The name of its schema. */
  readonly schema?: string;
}

/** What a route does for a method. */
export interface Operation {
  /** Its name in the description. */
  readonly name: string;
  /** What it does. */
  readonly summary: string;
  /** The message whose right it takes, and as which it is counted; `null` if everybody may ask. */
  readonly right: MessageType | null;
  /** What its body is; it takes none unless given. */
  readonly body?: "state" | "json";
  /** Whether a ticket stands for a token. */
  readonly takesTicket?: boolean;
  /** Its parameters, by name. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** What it answers, by status. */
  readonly responses: Readonly<Record<number, ResponseDoc>>;
  /**
   * Answers a request.
   *
   * @param call The request
   * @returns The answer
   */
  handle(call: Call): Answer | Promise<Answer>;
}

/** A path, and what it does for each method. */
export interface Route {
  /** Its path; `{id}` stands for an identifier. */
  readonly path: string;
  /** What it does. HEAD and OPTIONS follow from these. */
  readonly methods: Readonly<Record<string, Operation>>;
}
