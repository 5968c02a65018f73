/**
 * A second reader of events and records, written after PROTOCOL.md: it turns them into plain values, or `null`.
 *
 * @module
 */

/** Kinds of events that carry a state, and nothing else, after their identifier. */
const WITH_STATE = new Map([[3, "join"], [4, "update"]]);

/** Kinds of events that carry nothing after their identifier. */
const BARE = new Map([[5, "suspect"], [6, "resume"]]);

const CAUSES = ["close", "disconnect", "timeout", "takeover", "shutdown", "error", "kicked", "node lost", "expired"];

const STATUSES = ["live", "suspect", "detached"];

/** The bytes are no events or records. */
class Invalid extends Error {}

class Cursor {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new Invalid();
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  number(size: number): number {
    const value = this.take(size).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    if (value > 2n ** 53n - 1n) throw new Invalid();
    return Number(value);
  }

  text(size: number): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.take(size));
  }

  state(): Uint8Array {
    return this.take(this.number(4));
  }

  word(words: readonly string[]): string {
    const word = words[this.number(1)];
    if (word === undefined) throw new Invalid();
    return word;
  }
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Invalid) return null;
    throw error;
  }
}

/** Reads the events of a frame; `null` when they are invalid. */
export function readEvents(bytes: Uint8Array): Record<string, unknown>[] | null {
  return orNull(() => {
    const cursor = new Cursor(bytes);
    const events: Record<string, unknown>[] = [];
    while (cursor.at < bytes.length) events.push(readEvent(cursor));
    return events;
  });
}

function readEvent(cursor: Cursor): Record<string, unknown> {
  const kind = cursor.number(1);
  const revision = cursor.number(8);
  const id = cursor.text(cursor.number(2));
  if (kind === 1) return { kind: "present", revision, id, ...readPresent(cursor) };
  if (kind === 2) return { kind: "synced", revision, incarnation: cursor.text(cursor.number(1)) };
  if (WITH_STATE.has(kind)) return { kind: WITH_STATE.get(kind), revision, id, state: cursor.state() };
  if (BARE.has(kind)) return { kind: BARE.get(kind), revision, id };
  if (kind === 9) return { kind: "set", revision, id, until: cursor.number(8), state: cursor.state() };
  if (kind === 7) return { kind: "leave", revision, id, cause: cursor.word(CAUSES) };
  if (kind === 8) return { kind: "pong", revision };
  if (kind === 11) return { kind: "snapshot", revision };
  throw new Invalid();
}

function readPresent(cursor: Cursor): Record<string, unknown> {
  return {
    status: cursor.word(STATUSES),
    openedAt: cursor.number(8),
    updatedAt: cursor.number(8),
    until: cursor.number(8),
    state: cursor.state(),
  };
}

/** Reads the records of a list; `null` when they are invalid. */
export function readList(bytes: Uint8Array): { revision: number; records: Record<string, unknown>[] } | null {
  return orNull(() => {
    const cursor = new Cursor(bytes);
    const revision = cursor.number(8);
    const records: Record<string, unknown>[] = [];
    while (cursor.at < bytes.length) {
      records.push({
        id: cursor.text(cursor.number(2)),
        status: cursor.word(STATUSES),
        revision: cursor.number(8),
        openedAt: cursor.number(8),
        updatedAt: cursor.number(8),
        state: cursor.state(),
      });
    }
    return { revision, records };
  });
}
