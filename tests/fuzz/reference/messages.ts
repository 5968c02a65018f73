/**
 * A second parser of messages, to compare the first one with. It is written after PROTOCOL.md and not after the code:
 * each time it reads everything from the start, one message after the other, and knows no runs.
 *
 * @module
 */

import type { Dialect, WireErrorCode } from "../../../mod.ts";

/** A complete message. */
export interface Message {
  readonly type: number;
  /** Offset of its state or JSON. */
  readonly start: number;
  /** Offset after its state or JSON, and so after the message. */
  readonly end: number;
}

/** The meaning of bytes. */
export interface Reading {
  readonly messages: readonly Message[];
  /** Why no further message was read. */
  readonly end: "more" | "ambiguous" | WireErrorCode;
  /** Offset of the first incomplete message. */
  readonly rest: number;
  /** After "more": the fewest bytes that this message can have. */
  readonly least: number;
  readonly dialect: Dialect | "unsettled";
}

/** What a connection insists on. */
export interface Rules {
  readonly dialect: Dialect | "auto";
  readonly maxState: number;
}

/** Longest JSON of a request, in bytes. */
const LONGEST_REQUEST = 4_096n;

/** The reason why no message was read. */
class Stop {
  constructor(readonly end: Reading["end"], readonly least = 0) {}
}

/**
 * Reads all complete messages.
 *
 * @param bytes The bytes that a client sends
 * @param length How many of them have arrived
 * @param rules What the connection insists on
 * @param silence Offset at which a silence settles an ambiguous dialect; -1 for none
 * @returns The messages, and why there are no more
 */
export function readMessages(bytes: Uint8Array, length: number, rules: Rules, silence = -1): Reading {
  const reader = new MessageReader(bytes, length, rules, silence);
  const messages: Message[] = [];
  let rest = 0;
  for (;;) {
    const found = reader.read(rest);
    if (found instanceof Stop) return { messages, ...found, rest, dialect: reader.dialect };
    messages.push(found);
    rest = found.end;
  }
}

class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #maxState: number;
  readonly #silence: number;
  #magic: number | null;
  #isFirst = true;
  #isExtended = false;
  #isPlain = false;
  dialect: Dialect | "unsettled";

  constructor(bytes: Uint8Array, length: number, { dialect, maxState }: Rules, silence: number) {
    this.#bytes = bytes;
    this.#length = length;
    this.#maxState = maxState;
    this.#silence = silence;
    this.dialect = dialect === "auto" ? "unsettled" : dialect;
    this.#magic = dialect === "auto" ? null : dialect === "java" ? 66 : 42;
  }

  read(at: number): Message | Stop {
    const available = this.#length - at;
    const magic = this.#bytes[at]!;
    if (available !== 0) {
      if (this.#magic === null && (magic === 42 || magic === 66)) this.#magic = magic;
      if (magic !== this.#magic) return new Stop("BAD_MAGIC");
      if (magic === 66) this.dialect = "java";
    }
    const header = this.dialect === "java" ? 3 : 2;
    if (header === 3 && available >= 2 && this.#bytes[at + 1] !== 1) return new Stop("BAD_VERSION");
    if (available < header) return new Stop("more", header);
    const found = this.#readBody(this.#bytes[at + header - 1]!, at, at + header);
    if (!(found instanceof Stop)) this.#isFirst = false;
    return found;
  }

  #readBody(type: number, at: number, body: number): Message | Stop {
    if (type === 1 || type === 3) return { type, start: body, end: body };
    if (type === 0 || type === 2) return this.#readState(type, at, body);
    if (type > 12 || this.dialect === "java") return new Stop("BAD_TYPE");
    if (type === 4) {
      const isAllowed = this.#isFirst && this.dialect !== "compact";
      return isAllowed ? this.#readJson(type, at, body) : new Stop("BAD_HELLO");
    }
    if (!this.#isExtended) return new Stop("BAD_TYPE");
    if (type === 9) return this.#readPut(at, body);
    return type === 7 || type === 8 ? { type, start: body, end: body } : this.#readJson(type, at, body);
  }

  /** A Put: the length of everything, that of the JSON, the JSON, and the state. */
  #readPut(at: number, body: number): Message | Stop {
    const start = body + 8;
    if (this.#length < start) return new Stop("more", start - at);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
    const length = view.getBigUint64(body);
    if (length < 2n) return new Stop("BAD_HELLO");
    if (this.#length < start + 2) return new Stop("more", start + 2 - at);
    const json = BigInt(view.getUint16(start));
    if (json > LONGEST_REQUEST || length < 2n + json) return new Stop("BAD_HELLO");
    if (length - 2n - json > BigInt(this.#maxState)) return new Stop("STATE_TOO_LARGE");
    const end = start + Number(length);
    return this.#length < end ? new Stop("more", end - at) : { type: 9, start, end };
  }

  #readJson(type: number, at: number, body: number): Message | Stop {
    const found = this.#readLong(type, at, body, LONGEST_REQUEST, "BAD_HELLO");
    if (type === 4 && !(found instanceof Stop)) {
      this.#isExtended = true;
      this.dialect = "wide";
    }
    return found;
  }

  #readState(type: number, at: number, body: number): Message | Stop {
    if (this.dialect === "unsettled") {
      const stop = this.#settle(body);
      if (stop !== null) return stop;
    }
    return this.dialect === "compact"
      ? this.#readCompact(type, at, body)
      : this.#readLong(type, at, body, BigInt(this.#maxState), "STATE_TOO_LARGE");
  }

  /** Settles the dialect by the first length, if need be together with the byte after it. */
  #settle(body: number): Stop | null {
    if (this.#length === body) return new Stop("more", 3);
    if (this.#bytes[body] !== 0) {
      this.dialect = "compact";
    } else if (this.#silence === body + 1) {
      this.dialect = "compact";
    } else if (this.#length === body + 1) {
      return new Stop("ambiguous", 4);
    } else {
      this.dialect = this.#bytes[body + 1] === 0 ? "wide" : "compact";
    }
    return null;
  }

  #readLong(type: number, at: number, body: number, most: bigint, error: WireErrorCode): Message | Stop {
    const start = body + 8;
    if (this.#length < start) return new Stop("more", start - at);
    const length = new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getBigUint64(body);
    if (length > most) return new Stop(error);
    const end = start + Number(length);
    return this.#length < end ? new Stop("more", end - at) : { type, start, end };
  }

  #readCompact(type: number, at: number, body: number): Message | Stop {
    if (this.#length === body) return new Stop("more", 3);
    const length = this.#bytes[body]!;
    const start = body + 1;
    const end = start + length;
    if (length > this.#maxState) return new Stop("STATE_TOO_LARGE");
    if (this.#length < end) return new Stop("more", end - at);
    const looksEnveloped = length >= 1 && this.#bytes[start] === length - 1;
    // An Open that looks enveloped, or an Update that does not, proves that Updates have no envelope.
    if (looksEnveloped === (type === 0)) this.#isPlain = true;
    return { type, start: type === 2 && !this.#isPlain ? start + 1 : start, end };
  }
}
