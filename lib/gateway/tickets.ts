/**
 * Tickets: what a browser's EventSource shows instead of a token, which has no place in a URL.
 *
 * @module
 */

import type { Grant, Permission } from "../auth/tokens.ts";
import { randomHex } from "../base/bytes.ts";

/** How long a ticket can be used, in milliseconds. */
export const TICKET_LIFE = 30_000;

/** Most tickets that can be used at a time; for one more the oldest goes. */
const MAX_TICKETS = 4_096;

/** Length of a ticket before it is written in hexadecimal digits, in bytes. */
const TICKET_BYTES = 16;

/** Whom a ticket is for. */
export interface TicketHolder {
  /** What he may do. */
  readonly permission: Permission | "none";
  /** What his token allows; `null` without one. */
  readonly grant: Grant | null;
}

/** Tickets that have been given out and not been used. Each can be used once. */
export class Tickets {
  /** By ticket, the oldest first. */
  readonly #holders = new Map<string, { readonly holder: TicketHolder; readonly dueAt: number }>();

  /**
   * Gives out a ticket.
   *
   * @param holder Whom it is for
   * @returns The ticket
   */
  give(holder: TicketHolder): string {
    const [oldest] = this.#holders.size < MAX_TICKETS ? [] : this.#holders.keys();
    if (oldest !== undefined) this.#holders.delete(oldest);
    const ticket = randomHex(TICKET_BYTES);
    this.#holders.set(ticket, { holder, dueAt: performance.now() + TICKET_LIFE });
    return ticket;
  }

  /**
   * Takes a ticket, which cannot be used again.
   *
   * @param ticket The ticket
   * @returns Whom it is for; `null` if it is unknown, used or too old
   */
  take(ticket: string): TicketHolder | null {
    const found = this.#holders.get(ticket);
    this.#holders.delete(ticket);
    return found === undefined || found.dueAt < performance.now() ? null : found.holder;
  }
}
