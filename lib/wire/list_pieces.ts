/**
 * The reply to a List, made piece by piece.
 *
 * @module
 */

import { EMPTY } from "../base/bytes.ts";
import { PIECE_BYTES, type Pieces } from "../base/pieces.ts";
import { Pool } from "../base/pool.ts";
import type { DivisibleClient } from "./frame_buffer.ts";
import type { Dialect } from "../protocol.ts";
import { encodeDetails } from "./details.ts";
import { listLength, type ListWriter } from "./list_writer.ts";

/** Room for a piece and for what makes the last record longer, unless its identifier is very long. */
const BUFFER_BYTES = PIECE_BYTES + 1_024;

/** Pieces that are written over and over: making each anew would keep the garbage collector busy, and everybody waiting. */
const buffers = new Pool(16, () => new Uint8Array(BUFFER_BYTES));

/** A client, as a list tells of it. */
export interface ListedClient extends DivisibleClient {
  /** Whose it is. */
  readonly holder:
    | { readonly address: string; readonly dialect: Dialect | "unsettled"; readonly token: string | null }
    | null;
}

/** How much of the details is told: nothing, all but whose the client is, or all. */
export type DetailsLevel = "none" | "some" | "all";

/** Clients as they were at one revision, read in steps; a selection of the registry is such a source. */
export interface ClientSource {
  /** That revision. */
  readonly revision: number;
  /** Whether all have been read. */
  readonly isAtEnd: boolean;
  /** Measures them; `null` if that takes another step. */
  measure(): { readonly count: number; readonly bytes: number } | null;
  /** Begins a step. */
  resume(): void;
  /** Finds the next; `null` after the last, and if that takes another step. */
  next(): ListedClient | null;
  /** Finds the one found last again. */
  current(): ListedClient | null;
  /** Gives them up. */
  release(): void;
}

/** The reply to a List. A long state is divided among pieces: a reader that is stuck holds one of them. */
export class ListPieces implements Pieces {
  readonly #writer: ListWriter;
  readonly #source: ClientSource;
  readonly #details: DetailsLevel;
  /** Bytes of the list that are not made yet; `null` until they are counted. */
  #left: number | null = null;
  /** Bytes of the present client's state that are not made yet. */
  #stateLeft = 0;
  /** Where pieces are put; `null` until there is one. */
  #buffer: Uint8Array<ArrayBuffer> | null = null;

  /**
   * @param writer Lent to it for each piece
   * @param source The clients
   * @param details How much of their details is told
   */
  constructor(writer: ListWriter, source: ClientSource, details: DetailsLevel = "none") {
    this.#writer = writer;
    this.#source = source;
    this.#details = details;
  }

  next(): Uint8Array | null {
    if (this.#left === 0) return this.#end();
    this.#source.resume();
    if (this.#left !== null) {
      this.#fill();
      this.#left -= this.#writer.length;
      return this.#writer.take(this.#buffer ??= buffers.take());
    }
    const length = this.#begin();
    if (length === null) return EMPTY;
    this.#fill();
    this.#left = length - this.#writer.length;
    return this.#writer.finish(length, this.#buffer ??= buffers.take());
  }

  /**
   * Makes all of a list at once, if it is short, and releases it.
   *
   * @returns The list; `null` if it has to be read in pieces
   */
  whole(): Uint8Array | null {
    const measure = this.#source.measure();
    if (measure === null || this.#lengthOf(measure) > PIECE_BYTES) return null;
    const length = this.#begin() ?? 0;
    while (this.#writer.length < length) {
      this.#source.resume();
      this.#fill();
    }
    this.release();
    return this.#writer.finish();
  }

  release(): void {
    this.#source.release();
  }

  /** The buffer is free only now: whoever gives up before the end may still be writing from it. */
  #end(): null {
    if (this.#buffer !== null) buffers.give(this.#buffer);
    this.#buffer = null;
    return null;
  }

  /** Begins the list, and returns its length; `null` if it takes longer to measure it. */
  #begin(): number | null {
    const measure = this.#source.measure();
    if (measure === null) return null;
    this.#writer.begin(this.#source.revision);
    return this.#lengthOf(measure);
  }

  #lengthOf({ count, bytes }: { readonly count: number; readonly bytes: number }): number {
    return listLength(count, bytes, this.#details !== "none");
  }

  /** Adds records until the step has looked at enough clients, or there is enough for a piece. */
  #fill(): void {
    while (this.#writer.length < PIECE_BYTES && this.#add());
  }

  #addDetails({ until = 0, holder }: ListedClient): void {
    this.#writer.details(encodeDetails(until, this.#details === "all" ? holder : null));
  }

  /** Adds a record, or the next part of one. Returns `false` if there is none for now. */
  #add(): boolean {
    const writer = this.#writer;
    const client = this.#stateLeft === 0 ? this.#source.next() : this.#source.current();
    if (client === null) return false;
    if (this.#stateLeft === 0) {
      this.#stateLeft = client.stateLength;
      writer.recordHead(client);
    }
    const count = Math.min(this.#stateLeft, Math.max(0, PIECE_BYTES - writer.length));
    writer.statePart(client, client.stateLength - this.#stateLeft, count);
    this.#stateLeft -= count;
    if (this.#stateLeft === 0 && this.#details !== "none") this.#addDetails(client);
    return true;
  }
}
