/**
 * Everything that is answered over HTTP, whatever brings the requests.
 *
 * @module
 */

import { Feed } from "../feed/feed.ts";
import { HttpError } from "../http/http_error.ts";
import { messageOf, TrackerError } from "../errors.ts";
import type { MessageType } from "../protocol.ts";
import type { SessionContext } from "../server/context.ts";
import type { EventObserver } from "../server/events.ts";
import { requireRight } from "../server/requester.ts";
import type { Answer } from "./answer.ts";
import { BrowserGuard } from "./browser_guard.ts";
import { EventText } from "./event_text.ts";
import { HttpDate } from "./http_date.ts";
import type { Operation, Route, Shared } from "./operation.ts";
import type { GatewayRules } from "./options.ts";
import { problemAnswer } from "./problem.ts";
import type { GatewayRequest } from "./request.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes/mod.ts";
import { type TicketHolder, Tickets } from "./tickets.ts";
import { identify, tokenNeeded, Visitor } from "./visitor.ts";
import { Waiters } from "./waiters.ts";

/** Longest body that is JSON, in bytes. */
const MAX_JSON = 4_096;

/** A request whose head has been looked at. */
export interface Admitted {
  /** Longest body that is taken, in bytes. */
  readonly maxBody: number;
  /** Whoever sends it; `null` if that does not matter. */
  readonly visitor: Visitor | null;
  /**
   * Answers it. A refusal is an answer, too.
   *
   * @param body Its body
   */
  answer(body: Uint8Array): Answer | Promise<Answer>;
}

/** The routes of one server, and what they share. */
export class Site implements Shared {
  /** What the server's connections share. */
  readonly context: SessionContext;
  /** What is allowed, and what is counted. */
  readonly rules: GatewayRules;
  /** Every route. */
  readonly routes: readonly Route[] = ROUTES;
  /** Requests that wait for a change. */
  readonly waiters: Waiters;
  /** Tickets that have been given out. */
  readonly tickets: Tickets = new Tickets();
  /** The date, as HTTP writes it. */
  readonly date: HttpDate;
  readonly #guard: BrowserGuard;
  readonly #router = new Router(ROUTES);
  readonly #counts: Float64Array;
  #feed: Feed | null = null;

  /**
   * @param context What the server's connections share
   * @param rules What is allowed, and what is counted
   */
  constructor(context: SessionContext, rules: GatewayRules) {
    this.context = context;
    this.rules = rules;
    this.waiters = new Waiters(context.registry, context.deadlines);
    this.date = new HttpDate(context.registry);
    this.#guard = new BrowserGuard(rules);
    this.#counts = context.counters.messagesOf("http");
  }

  /** What watchers are told, as text: a change is written once for all who watch the same prefix. */
  get feed(): Feed {
    if (this.#feed === null) {
      const { registry, feeds, turns } = this.context;
      this.#feed = new Feed(registry, () => new EventText(registry.incarnation), { turns });
      feeds.push(this.#feed);
    }
    return this.#feed;
  }

  /**
   * Looks at a request before its body is read.
   *
   * @param request The request
   * @param observer Hears what happens
   * @returns What becomes of it
   * @throws {HttpError} if it is refused; {@linkcode TrackerError} likewise
   */
  admit(request: GatewayRequest, observer: EventObserver): Admitted | Promise<Admitted> {
    const cors = this.#guard.check(request);
    const { operation, id, methods } = this.#router.match(request.method, request.path);
    if (operation === null) return this.#describe(cors, methods);
    if (operation.right === null) return this.#open(request, observer, operation, cors);
    const holder = identify(this.context, request, operation.takesTicket ? this.tickets : null);
    const go = (holder: TicketHolder) => {
      const visitor = new Visitor(this.context, { ...request.peer, via: "http" }, observer, holder);
      requireToken(visitor, operation.right!);
      return this.#admitted(request, operation, visitor, id, cors);
    };
    return holder instanceof Promise ? holder.then(go) : go(holder);
  }

  #describe(cors: string, methods: string): Admitted {
    const headers = `Allow: ${methods}\r\n${cors === "" ? "" : cors + this.#guard.preflight(methods)}`;
    return { maxBody: 0, visitor: null, answer: () => ({ status: 204, headers, body: null }) };
  }

  /** What everybody may ask. */
  #open(request: GatewayRequest, observer: EventObserver, operation: Operation, cors: string): Admitted {
    const visitor = new Visitor(this.context, request.peer, observer, { permission: "none", grant: null });
    return { ...this.#admitted(request, operation, visitor, "", cors), visitor: null };
  }

  #admitted(
    request: GatewayRequest,
    operation: Operation,
    actor: Visitor,
    id: string,
    cors: string,
  ): Admitted {
    const answer = (body: Uint8Array) => {
      this.#count(operation.right);
      return this.#guarded(() => operation.handle({ request, actor, id, body, site: this }), actor, cors);
    };
    return { maxBody: this.#maxBodyOf(operation), visitor: actor, answer };
  }

  /** Turns every failure into an answer. */
  #guarded(handle: () => Answer | Promise<Answer>, actor: Visitor, cors: string): Answer | Promise<Answer> {
    const complete = (answer: Answer) => cors === "" ? answer : { ...answer, headers: answer.headers + cors };
    const fail = (error: unknown) => complete(this.refuse(error, actor));
    try {
      const answer = handle();
      return answer instanceof Promise ? answer.then(complete, fail) : complete(answer);
    } catch (error) {
      return fail(error);
    }
  }

  /**
   * Answers a request that is refused, counts that, and reports it. A fault of the server's own ends nothing but the
   * request.
   *
   * @param error Why
   * @param actor Whoever sends it, if that is known
   * @returns The answer
   */
  refuse(error: unknown, actor?: Pick<Visitor, "observer" | "peer">): Answer {
    if (error instanceof HttpError) return problemAnswer(error);
    const reported = error instanceof TrackerError ? error : faultOf(error);
    this.context.counters.countError(reported);
    actor?.observer.onEvent?.(actor.peer, { kind: "error", error: reported });
    return problemAnswer(error);
  }

  #maxBodyOf({ body }: Operation): number {
    return body === undefined ? 0 : body === "json" ? MAX_JSON : this.context.maxState;
  }

  #count(type: MessageType | null): void {
    if (type !== null) this.#counts[type]!++;
  }
}

/** What the log is told of a fault; the client is not. */
function faultOf(cause: unknown): TrackerError {
  return new TrackerError("UNAVAILABLE", `Cannot answer request: internal error: ${messageOf(cause)}`, { cause });
}

/** Whoever has shown no token is told that it takes one. */
function requireToken(visitor: Visitor, right: MessageType): void {
  if (visitor.permission === "none") throw tokenNeeded("Cannot give access: a token is needed");
  requireRight(visitor, right);
}

/**
 * The error of a body that is too long.
 *
 * @param length Its length, in bytes
 * @param maxBody The longest that is taken
 * @param maxState The longest state
 * @returns STATE_TOO_LARGE if it is a state, else BODY_TOO_LARGE
 */
export function tooLarge(length: number, maxBody: number, maxState: number): HttpError | TrackerError {
  if (maxBody === 0) return new HttpError("BODY_TOO_LARGE", "Cannot take body: the route takes none");
  const why = `${length} is above the limit of ${maxBody}`;
  return maxBody === maxState
    ? new TrackerError("STATE_TOO_LARGE", `Cannot take state: ${why}`)
    : new HttpError("BODY_TOO_LARGE", `Cannot take body: ${why}`);
}
