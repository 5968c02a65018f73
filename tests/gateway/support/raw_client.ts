import type { Duplex } from "../../../mod.ts";
import { writeAll } from "../../../lib/transport/duplex.ts";
import { bytesOf, textOf } from "../../support/bytes.ts";

/** A response, as its bytes have it. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A client that writes its requests itself. */
export class RawClient {
  readonly connection: Duplex;
  #unread = "";
  #hasEnded = false;

  constructor(connection: Duplex) {
    this.connection = connection;
  }

  async send(...parts: (string | number | Uint8Array)[]): Promise<void> {
    await writeAll(this.connection, bytesOf(...parts));
  }

  /** Sends a request without a body. */
  async request(method: string, target: string, ...headers: string[]): Promise<void> {
    await this.send([`${method} ${target} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n"));
  }

  /** Reads one response, whose body has a length, or goes to the end of the connection. */
  async response(method = "GET"): Promise<RawResponse> {
    const head = await this.#until("\r\n\r\n");
    const [line = "", ...rows] = head.trimEnd().split("\r\n");
    const headers = new Map(
      rows.map((row) => [row.slice(0, row.indexOf(":")).toLowerCase(), row.slice(row.indexOf(":") + 2)]),
    );
    const status = Number(line.split(" ")[1]);
    const length = headers.get("content-length");
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { status, headers, body: "" };
    if (headers.get("transfer-encoding") === "chunked") return { status, headers, body: await this.#chunks() };
    return { status, headers, body: length === undefined ? await this.rest() : await this.#take(Number(length)) };
  }

  /** Reads until a text has come, and returns everything up to its end. */
  async until(text: string): Promise<string> {
    return await this.#until(text);
  }

  /** Reads to the end of the connection. A connection that is reset has ended, too. */
  async rest(): Promise<string> {
    try {
      while (await this.#read());
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return this.#take(this.#unread.length);
  }

  close(): void {
    this.connection.close();
  }

  async #chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const size = parseInt(await this.#until("\r\n"), 16);
      body += await this.#take(size);
      await this.#take(2);
      if (size === 0) return body;
    }
  }

  async #until(text: string): Promise<string> {
    for (;;) {
      const at = this.#unread.indexOf(text);
      if (at !== -1) return this.#take(at + text.length);
      if (!await this.#read()) {
        throw new Error(`The connection has ended before ${JSON.stringify(text)}: ${this.#unread}`);
      }
    }
  }

  /** Reads so many bytes; states and heads in tests are of one byte a character. */
  async #take(length: number): Promise<string> {
    while (this.#unread.length < length) {
      if (!await this.#read()) throw new Error(`The connection has ended before ${length} bytes: ${this.#unread}`);
    }
    const taken = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return taken;
  }

  async #read(): Promise<boolean> {
    if (this.#hasEnded) return false;
    const buffer = new Uint8Array(65_536);
    const count = await this.connection.read(buffer);
    this.#hasEnded = count === null;
    this.#unread += textOf(buffer.subarray(0, count ?? 0));
    return count !== null;
  }
}
