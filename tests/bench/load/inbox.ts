/**
 * Counts the messages of a watcher's stream, each by its own length, so that only complete messages count as delivered.
 *
 * @module
 */

import { EVENT_KINDS } from "../../../lib/protocol.ts";
import { scratch } from "./connection.ts";
import type { Hearing } from "./job.ts";
import type { Latencies } from "./latencies.ts";
import { receive } from "./libc.ts";

const view = new DataView(scratch.buffer);

/** One watcher's stream. */
export abstract class Inbox {
  /** Number of messages received. */
  heard = 0;
  readonly descriptor: number;
  /** Beginning of an incomplete message. */
  #rest: Uint8Array | null = null;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /**
   * Reads everything that has arrived.
   *
   * @param latencies Notes each message, unless only their number matters
   */
  read(latencies: Latencies | null): void {
    const rest = this.#rest;
    const length = rest?.length ?? 0;
    if (rest !== null) scratch.set(rest);
    const end = length + receive(this.descriptor, length === 0 ? scratch : scratch.subarray(length));
    if (latencies !== null) latencies.arrivedAt = performance.now();
    const at = this.walk(end, latencies);
    this.#rest = at === end ? null : scratch.slice(at, end);
  }

  /** Counts the complete messages in `scratch[0..end)`, and returns the offset of the incomplete one. */
  protected abstract walk(end: number, latencies: Latencies | null): number;
}

/** Messages of one size, such as those to a subscriber of Redis if the states have one size. */
class EqualMessages extends Inbox {
  readonly #size: number;
  readonly #stampAt: number;

  constructor(descriptor: number, size: number, stampAt: number) {
    super(descriptor);
    this.#size = size;
    this.#stampAt = stampAt;
  }

  protected override walk(end: number, latencies: Latencies | null): number {
    let at = 0;
    for (; end - at >= this.#size; at += this.#size) {
      this.heard++;
      latencies?.note(view.getFloat64(at + this.#stampAt));
    }
    return at;
  }
}

/** Size of a frame's length, and of an event up to its identifier. */
const FRAME_LENGTH = 8;
const EVENT_HEADER = 11;

/** Tracker's frames. Only new states count; leaves of clients of an earlier run may be among them. */
class Frames extends Inbox {
  /** Missing bytes of the present frame. */
  #frameLeft = 0;

  protected override walk(end: number, latencies: Latencies | null): number {
    let at = 0;
    for (;;) {
      if (this.#frameLeft === 0) {
        if (end - at < FRAME_LENGTH) return at;
        this.#frameLeft = view.getUint32(at + 4);
        at += FRAME_LENGTH;
      }
      const size = sizeOfEvent(at, end);
      if (size === 0) return at;
      if (scratch[at] === EVENT_KINDS.update) {
        this.heard++;
        latencies?.note(view.getFloat64(at + EVENT_HEADER + view.getUint16(at + 9) + 4));
      }
      at += size;
      this.#frameLeft -= size;
    }
  }
}

/** Size of the event at an offset; 0 if it is incomplete. */
function sizeOfEvent(at: number, end: number): number {
  if (end - at < EVENT_HEADER) return 0;
  const kind = scratch[at];
  let size = EVENT_HEADER + view.getUint16(at + 9);
  if (kind === EVENT_KINDS.update) {
    if (end - at < size + 4) return 0;
    size += 4 + view.getUint32(at + size);
  } else if (kind === EVENT_KINDS.leave) {
    size += 1;
  } else {
    throw new Error(`Cannot count events: unexpected kind ${kind}`);
  }
  return end - at < size ? 0 : size;
}

/**
 * Makes a watcher's inbox.
 *
 * @param descriptor The watcher's socket
 * @param hearing Format of its stream
 * @returns The inbox
 */
export function makeInbox(descriptor: number, hearing: Hearing): Inbox {
  return hearing === "frames" ? new Frames(descriptor) : new EqualMessages(descriptor, hearing.size, hearing.stampAt);
}
