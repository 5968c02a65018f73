/** What is in use of the package ws. */

/** A client. */
export class WebSocket {
  constructor(url: string, protocols?: string | string[], options?: Record<string, unknown>);
  readonly protocol: string;
  binaryType: "nodebuffer" | "arraybuffer" | "fragments";
  on(event: "open", listener: () => void): this;
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): this;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "ping" | "pong", listener: (data: Uint8Array) => void): this;
  send(data: Uint8Array | string, options?: { binary?: boolean; fin?: boolean }): void;
  ping(data?: Uint8Array): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** The parser of frames, a stream that is written to. */
export class Receiver {
  constructor(options: Record<string, unknown>);
  // deno-lint-ignore no-explicit-any
  on(event: string, listener: (...args: any[]) => void): this;
  write(bytes: Uint8Array, done: () => void): boolean;
}
