/**
 * The sessions of a server, by the place that each takes.
 *
 * @module
 */

import { accessOf } from "../auth/access.ts";
import { siteOf } from "../auth/cidr.ts";
import type { TrackerError } from "../errors.ts";
import type { Incoming } from "../transport/listener.ts";
import type { Admission } from "./admission.ts";
import type { SessionContext } from "./context.ts";
import { Crowd, crowdedOutError } from "./crowd.ts";
import { Session, type SessionObserver } from "./session.ts";

/**
 * Most connections above the limit that are being told so at the same time. Each is held until it has read that, so they
 * need a limit too; beyond it a connection is closed without a word.
 */
const MAX_REFUSALS = 256;

/** Limits for {@linkcode Roster}. */
export interface RosterLimits {
  /** Most connections that have shown no token, where one is needed. */
  readonly maxUnauthorized: number;
  /** Most connections whose clients have left, and that only take their last replies. */
  readonly maxParting: number;
}

/** The sessions of a server, in groups: each is in at most one of them. */
export class Roster {
  /** Sessions that take a place among the clients. */
  readonly clients: Set<Session> = new Set();
  readonly #context: SessionContext;
  readonly #admission: Admission;
  /** Sessions that have shown no token, where one is needed. */
  readonly #unauthorized: Crowd<Session>;
  /** Sessions above the limit, which are being told so. */
  readonly #refusals = new Set<Session>();
  /** Sessions whose clients have left: they have given up their places, and only say their last. */
  readonly #parting: Crowd<Session>;

  /**
   * @param context What the sessions share
   * @param admission Counts them
   * @param limits How many may be in a group
   */
  constructor(context: SessionContext, admission: Admission, { maxUnauthorized, maxParting }: RosterLimits) {
    this.#context = context;
    this.#admission = admission;
    this.#unauthorized = new Crowd(maxUnauthorized);
    this.#parting = new Crowd(maxParting);
  }

  /** Whether every session has ended. */
  get isEmpty(): boolean {
    return this.clients.size + this.#refusals.size + this.#unauthorized.size + this.#parting.size === 0;
  }

  /** Every session that has not ended. */
  get all(): Session[] {
    return [this.clients, this.#unauthorized, this.#refusals, this.#parting].flatMap((group) => [...group]);
  }

  /** Sessions that have shown no token, where one is needed. */
  get strangers(): Iterable<Session> {
    return this.#unauthorized;
  }

  /**
   * Starts a session for a connection, or refuses it.
   *
   * @param connection The connection
   * @param observer Hears what happens on it
   * @param speaks The protocol that is spoken on it, if it is known to be another
   */
  admit(connection: Incoming, observer: SessionObserver, speaks?: string): void {
    const { counters, names, rules } = this.#context;
    const { hostname } = connection.remoteAddr;
    const isStranger = accessOf(rules, hostname) === "none";
    const refusal = names.bans.errorFor(`address ${siteOf(hostname)}`) ??
      (isStranger ? this.#admission.crowdRefusal(hostname) : this.#admission.refusalOf(hostname, this.clients.size));
    if (refusal !== null && this.#refusals.size >= MAX_REFUSALS) {
      counters.countRefusal(refusal.limit!);
      return connection.close();
    }
    this.#admission.enter(hostname);
    const protocol = speaks === undefined ? undefined : observer.protocols?.find(({ name }) => name === speaks);
    const session = new Session(connection, this.#context, observer, protocol);
    void session.run();
    if (refusal !== null) this.#refuse(session, refusal);
    else if (isStranger) this.#makeRoomFor(session);
    else this.clients.add(session);
  }

  /**
   * Gives a client that has shown its token a place among the clients.
   *
   * @param session Its session
   * @returns Why there is none; `null` if there is, or it has one already
   */
  welcome(session: Session): TrackerError | null {
    if (!this.#unauthorized.delete(session)) return null;
    this.#countUnauthorized();
    const refusal = this.#admission.fullRefusal(this.clients.size);
    const group = refusal === null ? this.clients : this.#refusals;
    group.add(session);
    return refusal;
  }

  /**
   * Frees the place of a client that leaves: its connection lives on only to take the last replies.
   *
   * @param session Its session
   * @param isLast Whether all of them are leaving, and each is to be told why
   */
  part(session: Session, isLast: boolean): void {
    this.#admission.leave(session.peer.hostname);
    if (isLast) return;
    if (this.#unauthorized.delete(session)) this.#countUnauthorized();
    else if (!this.clients.delete(session)) return;
    this.#parting.add(session)?.abort();
  }

  /** Removes a session that has ended, whichever group it is in. */
  forget(session: Session): void {
    if (this.#unauthorized.delete(session)) this.#countUnauthorized();
    for (const group of [this.clients, this.#refusals, this.#parting]) group.delete(session);
  }

  #makeRoomFor(stranger: Session): void {
    const oldest = this.#unauthorized.add(stranger);
    this.#countUnauthorized();
    if (oldest !== null) this.#refuse(oldest, crowdedOutError());
  }

  /** Tells a session in no group why it cannot stay, unless that is being told to too many others. */
  #refuse(session: Session, error: TrackerError): void {
    const isTold = this.#refusals.size < MAX_REFUSALS;
    this.#refusals.add(session);
    if (isTold) return session.close(error);
    this.#context.counters.countRefusal(error.limit!);
    session.abort();
  }

  #countUnauthorized(): void {
    this.#context.counters.unauthorized = this.#unauthorized.size;
  }
}
