/**
 * Who asks, and whether he may.
 *
 * @module
 */

import { accessOf, grantOf } from "../auth/access.ts";
import type { Grant, Permission } from "../auth/tokens.ts";
import { messageOf } from "../errors.ts";
import { HttpError } from "../http/http_error.ts";
import type { SessionContext } from "../server/context.ts";
import type { EventObserver } from "../server/events.ts";
import { admittanceOf } from "../server/greeting.ts";
import type { Actor } from "../server/requester.ts";
import type { SocketAddress } from "../transport/listener.ts";
import type { GatewayRequest } from "./request.ts";
import type { TicketHolder, Tickets } from "./tickets.ts";

/** Whoever sends a request. */
export class Visitor implements Actor {
  readonly context: SessionContext;
  readonly permission: Permission | "none";
  readonly grant: Grant | null;
  readonly peer: SocketAddress;
  readonly dialect = "unsettled";
  readonly observer: EventObserver;

  /**
   * @param context What the server's connections share
   * @param peer Where he is
   * @param observer Hears what happens
   * @param holder What he may do
   */
  constructor(context: SessionContext, peer: SocketAddress, observer: EventObserver, holder: TicketHolder) {
    this.context = context;
    this.peer = peer;
    this.observer = observer;
    this.permission = holder.permission;
    this.grant = holder.grant;
  }
}

/**
 * Finds out what whoever asks may do.
 *
 * @param context The server's rules
 * @param request The request
 * @param tickets The tickets that have been given out; `null` where none are taken
 * @returns His rights; it takes time only where the program that runs the server decides
 * @throws {HttpError} TOKEN_NEEDED if he shows something that is not known
 */
export function identify(
  context: SessionContext,
  request: GatewayRequest,
  tickets: Tickets | null,
): TicketHolder | Promise<TicketHolder> {
  const { rules } = context;
  const permission = accessOf(rules, request.peer.hostname);
  if (rules === null || permission !== "none") return { permission, grant: null };
  const ticket = tickets === null ? undefined : request.parameter("ticket");
  if (ticket !== undefined) return holderOf(context, tickets!.take(ticket));
  const token = bearerOf(request.header("authorization"));
  if (token === undefined) return { permission, grant: null };
  if (rules.authorize !== null) return decide(context, request, token);
  try {
    const grant = grantOf(rules, token);
    return { permission: grant.access, grant };
  } catch (error) {
    throw tokenNeeded(messageOf(error));
  }
}

/**
 * The error of a request that shows no token, or a wrong one.
 *
 * @param message What is wrong
 * @returns TOKEN_NEEDED
 */
export function tokenNeeded(message: string): HttpError {
  return new HttpError("TOKEN_NEEDED", message, { headers: 'WWW-Authenticate: Bearer realm="tracker"\r\n' });
}

/** The token of a ticket may have been removed since. */
function holderOf({ rules }: SessionContext, holder: TicketHolder | null): TicketHolder {
  const tokens = rules?.tokens?.();
  const isGood = holder !== null && (holder.grant === null || tokens === undefined || tokens.accepts(holder.grant));
  if (isGood) return holder;
  throw tokenNeeded("Cannot give access: the ticket is unknown, used or too old");
}

function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, token] = /^Bearer +([!-~]{1,4096})$/i.exec(header) ?? [];
  if (token !== undefined) return token;
  throw tokenNeeded("Cannot give access: the header Authorization is not Bearer TOKEN");
}

async function decide(context: SessionContext, { peer }: GatewayRequest, token: string): Promise<TicketHolder> {
  const { grant } = await admittanceOf({ context, peer }, { token });
  return { permission: grant.access, grant };
}
