/**
 * The answer to a Hello: who the client is, and what it may do.
 *
 * @module
 */

import { type Admittance, grantOf, mayWrite, unauthorized } from "../auth/access.ts";
import { siteOf } from "../auth/cidr.ts";
import type { Grant } from "../auth/tokens.ts";
import { isWireErrorCode, TrackerError } from "../errors.ts";
import { EDITION, HEARTBEAT_PATIENCE, NAME_PATTERN } from "../protocol.ts";
import { VERSION } from "../version.ts";
import { type Greeting, type HelloRequest, parseHello } from "../wire/requests.ts";
import { type Actor, replyDone, replyJson, type Requester, requireUnder } from "./requester.ts";

/** What a client that was admitted without a token is known by. */
const DEFAULT_LABEL = "authorized";

/**
 * Answers a Hello.
 *
 * @param session The session it came in on
 * @param payload Its JSON
 * @throws {TrackerError} BAD_HELLO, UNAUTHORIZED, and as a claim of a name does
 */
export function greet(session: Requester, payload: Uint8Array): void {
  const request = parseHello(payload);
  const { rules } = session.context;
  const isStranger = rules !== null && session.permission === "none";
  if (isStranger && rules.authorize !== null) return session.suspend(decide(session, request));
  if (isStranger) session.admit(grantOf(rules, request.token));
  welcome(session, request);
}

/** Asks the program that runs the server. Never rejects. */
async function decide(session: Requester, request: HelloRequest): Promise<void> {
  try {
    const { grant, name } = await admittanceOf(session, request);
    if (!session.isOpen) return;
    session.admit(grant);
    welcome(session, { ...request, ...name !== undefined && { name } });
  } catch (error) {
    session.close(error as TrackerError);
  }
}

/**
 * Asks the program that runs the server what it allows a client.
 *
 * @param actor The client
 * @param request What it shows and asks for
 * @returns What it may do, and the name that it gets if the program has chosen one
 * @throws {TrackerError} UNAUTHORIZED, or what the program has to say to the client; UNAVAILABLE if it fails
 */
export async function admittanceOf(
  { context, peer }: Pick<Actor, "context" | "peer">,
  request: HelloRequest,
): Promise<{ grant: Grant; name?: string | undefined }> {
  try {
    const admittance = await context.rules?.authorize?.(request, peer) ?? null;
    return { grant: grantFrom(admittance), name: admittance?.name };
  } catch (error) {
    throw tellable(error);
  }
}

function grantFrom(admittance: Admittance | null): Grant {
  if (admittance === null) throw unauthorized("the server does not let this client in");
  const { access, prefix, name, label = DEFAULT_LABEL } = admittance;
  if (name === undefined || NAME_PATTERN.test(name)) {
    return { name: label, access, ...prefix !== undefined && { prefix } };
  }
  throw new Error(`Cannot rename client: ${JSON.stringify(name)} is no name`);
}

/** What a client may be told of a failure to decide. One that is not meant for it is reported as uncaught. */
function tellable(error: unknown): TrackerError {
  if (error instanceof TrackerError && isWireErrorCode(error.code)) return error;
  reportError(error);
  return new TrackerError("UNAVAILABLE", "Cannot give access: the server cannot decide just now", { cause: error });
}

function welcome(session: Requester, request: HelloRequest): void {
  if (session.context.rules !== null) session.timers.disarm("handshake");
  if (request.name !== undefined) claimName(session, request, request.name);
  if (!session.isOpen) return;
  if (request.heartbeat !== undefined) {
    session.timers.patience = request.heartbeat * 1_000 * HEARTBEAT_PATIENCE;
    session.timers.arm("heartbeat");
  }
  replyDone(session.replies);
  replyJson(session.replies, greetingFor(session, request));
}

function claimName(session: Requester, request: HelloRequest, name: string): void {
  if (!mayWrite(session.permission)) throw unauthorized("the token is for reading");
  requireUnder(session, name);
  session.presence.claimName(name, { ...request, holders: holdersOf(session) });
}

/**
 * Tells whom an entry counts for that stays without a connection.
 *
 * @param actor Its client, or whoever has put it
 * @returns The address, and the token if there is one
 */
export function holdersOf({ peer, grant }: Pick<Actor, "peer" | "grant">): string[] {
  return [`address (${siteOf(peer.hostname)})`, ...grant === null ? [] : [`token (${grant.name})`]];
}

function greetingFor({ context, presence }: Requester, { name, heartbeat = 0, grace = 0 }: HelloRequest): Greeting {
  const claim = name === undefined ? null : presence.claim;
  return {
    server: "tracker",
    version: VERSION,
    incarnation: context.registry.incarnation,
    id: claim?.name ?? null,
    resume: claim?.key ?? null,
    heartbeat,
    grace: claim === null ? 0 : grace,
    maxState: context.maxState,
    edition: EDITION,
  };
}
