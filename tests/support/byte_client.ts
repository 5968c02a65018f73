import { assertEquals } from "@std/assert";
import type { Duplex, Greeting } from "../../mod.ts";
import { readU64 } from "../../lib/base/bytes.ts";
import { bytesOf, longLength, readExactly, readToEnd, textOf, writeFully } from "./bytes.ts";

type Parts = Parameters<typeof bytesOf>;

/** A client that sends and expects bytes, whatever carries them. */
export class ByteClient<T extends Duplex = Duplex> {
  readonly connection: T;

  constructor(connection: T) {
    this.connection = connection;
  }

  async send(...parts: Parts): Promise<void> {
    await writeFully(this.connection, bytesOf(...parts));
  }

  /** Sends a message that carries JSON, such as a Hello. */
  async request(type: number, json: unknown): Promise<void> {
    const payload = bytesOf(JSON.stringify(json));
    await this.send(42, type, longLength(payload.length), payload);
  }

  async hello(request: unknown = {}): Promise<Greeting> {
    await this.request(4, request);
    await this.expect(1);
    return JSON.parse(textOf(await this.readPayload()));
  }

  async open(state: string): Promise<void> {
    await this.send(42, 0, longLength(state.length), state);
    await this.expect(1);
  }

  async update(state: string): Promise<void> {
    await this.send(42, 2, longLength(state.length), state);
  }

  async watch(request: unknown = {}): Promise<void> {
    await this.request(5, request);
    await this.expect(1);
  }

  async expect(...parts: Parts): Promise<void> {
    const expected = bytesOf(...parts);
    assertEquals(await readExactly(this.connection, expected.length), expected);
  }

  /** Expects one error reply, and then the end of the stream. */
  async expectError(code: string, reason: string): Promise<void> {
    const text = `${code}: ${reason}`;
    assertEquals(await readToEnd(this.connection), bytesOf(0, text.length, text));
  }

  /** Reads the text of an error reply, and to the end of the stream. */
  async readError(): Promise<string> {
    return textOf((await readToEnd(this.connection)).subarray(2));
  }

  /** Reads a length of eight bytes. */
  async readLength(): Promise<number> {
    return Number(readU64(await readExactly(this.connection, 8), 0));
  }

  /** Reads a length of eight bytes, and as many bytes. */
  async readPayload(): Promise<Uint8Array<ArrayBuffer>> {
    return await readExactly(this.connection, await this.readLength());
  }

  close(): void {
    this.connection.close();
  }
}
