import { TrackerError } from "../../mod.ts";
import { bytesOf, longLength, readExactly, textOf, writeFully } from "../support/bytes.ts";
import type { MemoryConnection } from "../support/memory.ts";

/** A client's end of a connection. Sending does not wait: bytes go out in order, as soon as they can. */
export class Link {
  /** The code of the error reply that ended the connection, if any. */
  refusal: string | null = null;
  /** The code of the error with which the server says it ended the connection, if any. */
  verdict: string | null = null;
  /** Whether nothing more can come from the server. */
  isEnded = false;
  readonly #end: MemoryConnection;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(end: MemoryConnection) {
    this.#end = end;
  }

  /** Sends bytes after those sent before. */
  send(...parts: Parameters<typeof bytesOf>): void {
    const bytes = bytesOf(...parts);
    // A broken connection shows where it is read.
    this.#sending = this.#sending.then(() => writeFully(this.#end, bytes)).catch(() => {});
  }

  /** Sends a message with a payload. */
  message(type: number, payload: string): void {
    this.send(42, type, longLength(new TextEncoder().encode(payload).length), payload);
  }

  /** Sends a message that carries JSON. */
  request(type: number, json: unknown): void {
    this.message(type, JSON.stringify(json));
  }

  /** Sends a Put. */
  put(json: object, state: string): void {
    const text = JSON.stringify(json);
    this.message(9, String.fromCharCode(text.length >> 8, text.length & 0xff) + text + state);
  }

  stall(isStalled: boolean): void {
    this.#end.stall(isStalled);
  }

  /** Closes the connection in an orderly way, or as a crash does. */
  cut(isCrash: boolean): void {
    this.isEnded = true;
    if (this.#end.closed) return;
    if (isCrash) this.#end.reset();
    this.#end.close();
  }

  /** Reads the 1 that answers an Open, a Hello, a Watch or a Close. */
  async readDone(): Promise<void> {
    const first = (await this.#read(1))[0];
    if (first === 0) await this.#throwError((await this.#read(1))[0] ?? 0);
    if (first !== 1) throw new Error(`a reply begins with ${first}`);
  }

  /** Reads a payload after its length of eight bytes: a list, a greeting or a frame; `null` for the reply to a Close. */
  async readPayload(): Promise<Uint8Array | null> {
    const [first = 0] = await this.#read(1);
    if (first === 1) return null;
    const [second = 0] = await this.#read(1);
    if (second !== 0) await this.#throwError(second);
    const rest = await this.#read(6);
    return await this.#read(new DataView(rest.buffer).getUint32(2));
  }

  async #throwError(length: number): Promise<never> {
    const [code = ""] = textOf(await this.#read(length)).split(":");
    this.refusal = code;
    throw new TrackerError("CONNECTION_CLOSED", code);
  }

  async #read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await readExactly(this.#end, length);
    if (bytes.length === length) return bytes;
    throw new TrackerError("CONNECTION_CLOSED", "the stream ended");
  }
}

/** Whether an error only means that a connection has ended, in any way. */
export function isEnd(error: unknown): boolean {
  if (error instanceof TrackerError) return error.code === "CONNECTION_CLOSED";
  return [Deno.errors.ConnectionReset, Deno.errors.Interrupted, Deno.errors.BrokenPipe, Deno.errors.BadResource]
    .some((kind) => error instanceof kind);
}
