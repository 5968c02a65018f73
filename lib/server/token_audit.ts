/**
 * The end of connections whose token has been removed.
 *
 * @module
 */

import { unauthorized } from "../auth/access.ts";
import type { Grant, Tokens } from "../auth/tokens.ts";
import { Deadline, type Deadlines } from "../base/deadlines.ts";
import type { Turns } from "../base/turns.ts";
import type { TrackerError } from "../errors.ts";

/** How often to look whether there are other tokens, in milliseconds. */
const INTERVAL = 400;

/** How many connections are looked at before the clock is. */
const AUDITED_PER_LOOK = 256;

/** A connection that may have shown a token. */
interface Audited {
  /** What its token allowed when it was shown. */
  readonly grant: Grant | null;
  /** Ends it. */
  close(error: TrackerError): void;
}

/** Looks from time to time whether tokens have been removed, and ends the connections that came in with them. */
export class TokenAudit {
  readonly #tokens: () => Tokens;
  readonly #sessions: ReadonlySet<Audited>;
  readonly #deadlines: Deadlines;
  readonly #turns: Turns;
  readonly #deadline = new Deadline(() => void this.#look());
  #seen: Tokens | null = null;

  /**
   * @param tokens The tokens that are accepted now
   * @param sessions The connections
   * @param context What they share
   */
  constructor(
    tokens: () => Tokens,
    sessions: ReadonlySet<Audited>,
    context: { readonly deadlines: Deadlines; readonly turns: Turns },
  ) {
    this.#tokens = tokens;
    this.#sessions = sessions;
    this.#deadlines = context.deadlines;
    this.#turns = context.turns;
  }

  /** Begins to look, if it does not yet: a connection has shown a token. */
  begin(): void {
    if (this.#deadline.armed) return;
    this.#seen ??= this.#tokens();
    this.#deadlines.arm(this.#deadline, INTERVAL);
  }

  async #look(): Promise<void> {
    const tokens = this.#tokens();
    if (tokens !== this.#seen) await this.#compare(tokens);
    this.#seen = tokens;
    if (this.#sessions.size !== 0) this.#deadlines.arm(this.#deadline, INTERVAL);
  }

  async #compare(tokens: Tokens): Promise<void> {
    let count = 0;
    for (const session of this.#sessions) {
      if (session.grant !== null && !tokens.accepts(session.grant)) session.close(removedError());
      if (++count % AUDITED_PER_LOOK === 0 && this.#turns.isSpent) await this.#turns.rest();
    }
  }
}

function removedError(): TrackerError {
  return unauthorized("the token has been removed or changed");
}
