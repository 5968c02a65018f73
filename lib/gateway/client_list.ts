/**
 * Many clients as JSON, made piece by piece.
 *
 * @module
 */

import { EMPTY, toBytes } from "../base/bytes.ts";
import { PIECE_BYTES, type Pieces } from "../base/pieces.ts";
import { safeJson } from "../base/text.ts";
import type { Selection } from "../map/selection.ts";
import type { Actor } from "../server/requester.ts";
import { clientForm } from "./client_form.ts";

/** Most clients that are looked at for a piece. */
const MOST_LOOKED_AT = 512;

/** Options for {@linkcode ClientList}. */
export interface ClientListOptions {
  /** Whoever asks. */
  readonly actor: Actor;
  /** Length of a page; 0 for a list that is none. */
  readonly limit: number;
}

/** A list of clients: `{"revision":…,"clients":[…]}`, and `"next"` if a page is full. */
export class ClientList implements Pieces {
  readonly #selection: Selection;
  readonly #actor: Actor;
  readonly #limit: number;
  #count = 0;
  /** The identifier of the last client. */
  #last = "";
  #isPlanned: boolean;
  #isDone = false;

  /**
   * @param selection The clients; released by {@linkcode release}
   * @param options Who asks, and the length of a page
   */
  constructor(selection: Selection, { actor, limit }: ClientListOptions) {
    this.#selection = selection;
    this.#actor = actor;
    this.#limit = limit;
    this.#isPlanned = limit === 0;
  }

  /** Whether it has been made to its end. */
  get isDone(): boolean {
    return this.#isDone;
  }

  next(): Uint8Array | null {
    if (this.#isDone) return null;
    this.#selection.resume();
    // A page is in an order of its own, which has to be found first.
    if (!this.#isPlanned) this.#isPlanned = this.#selection.measure() !== null;
    if (!this.#isPlanned) return EMPTY;
    const text = this.#fill();
    return text === "" ? EMPTY : toBytes(text);
  }

  release(): void {
    this.#selection.release();
  }

  #fill(): string {
    const selection = this.#selection;
    const parts: string[] = this.#count === 0 ? [`{"revision":${selection.revision},"clients":[`] : [];
    let length = 0;
    let looked = 0;
    for (; length < PIECE_BYTES && looked < MOST_LOOKED_AT; looked++) {
      const client = selection.next();
      if (client === null) break;
      const json = safeJson(clientForm(client, this.#actor));
      parts.push(this.#count++ === 0 ? json : `,${json}`);
      length += json.length;
      this.#last = client.id;
    }
    if (selection.isAtEnd) parts.push(this.#end());
    // Nothing was found in this step, and the beginning is not to be written twice.
    else if (this.#count === 0) return "";
    return parts.join("");
  }

  #end(): string {
    this.#isDone = true;
    const isFull = this.#limit !== 0 && this.#count === this.#limit;
    return `]${isFull ? `,"next":${safeJson(this.#last)}` : ""}}\n`;
  }
}

/** The rest of a body whose beginning was made to see whether it is short. */
export class Continued implements Pieces {
  #first: Uint8Array | null;
  readonly #rest: Pieces;

  /**
   * @param first The beginning
   * @param rest What follows
   */
  constructor(first: Uint8Array, rest: Pieces) {
    this.#first = first;
    this.#rest = rest;
  }

  next(): Uint8Array | null {
    const first = this.#first;
    this.#first = null;
    return first ?? this.#rest.next();
  }

  release(): void {
    this.#rest.release();
  }
}
