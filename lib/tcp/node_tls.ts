/**
 * TLS as Node.js has it, which Deno has too.
 *
 * Deno's own listener for TLS cannot end a connection before both sides have agreed: `close()` returns, but the socket
 * and its memory live on for as long as the client likes. Node's TLS works on any stream, so here the TCP connection
 * stays in our hands and can be closed at any time.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { KeyPair } from "../transport/listener.ts";
import { LOOPBACK } from "./address.ts";
import { listenError } from "./tcp_listener.ts";
import { keyPairError } from "./tls_errors.ts";

/** The first version of Deno whose TLS for Node.js tells the end of a stream that is not its own socket. */
const NEEDED = [2, 9, 2] as const;

/** A stream of Node.js, as far as it is in use here. */
export interface NodeStream {
  /** How many bytes were pushed that nobody has taken. */
  readonly readableLength: number;
  /** Adds bytes for whoever reads it; `null` ends it. */
  push(bytes: Uint8Array | null): boolean;
  /** Tells whoever reads and writes it that it is over. */
  destroy(): this;
}

/** What a stream is made of. */
export interface NodeStreamOptions {
  readonly autoDestroy: boolean;
  /** Called when there is room for more. */
  read(): void;
  /** Called with bytes that were written. */
  write(bytes: Uint8Array, encoding: string, done: () => void): void;
}

/** A TLS connection of Node.js, as far as it is in use here. */
export interface NodeTlsSocket {
  on(event: "data", listener: (bytes: Uint8Array) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "end", listener: () => void): this;
  once(event: "close" | "secure", listener: () => void): this;
  /** Calls back when the bytes have been written. */
  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean;
  /** Calls back when everything has been written. */
  end(done: () => void): this;
  destroy(): this;
}

/** A certificate that connections can use. */
export interface SecureContext {
  readonly context: unknown;
}

/** The modules of Node.js that TLS needs. Types of our own, so that this library imports nothing. */
export interface NodeModules {
  readonly tls: {
    readonly TLSSocket: new (
      stream: NodeStream,
      options: { isServer: true; secureContext: SecureContext },
    ) => NodeTlsSocket;
    createSecureContext(pair: KeyPair): SecureContext;
  };
  readonly stream: {
    readonly Duplex: new (options: NodeStreamOptions) => NodeStream;
  };
}

/**
 * Loads the modules, not before a server speaks TLS: they would make every other start slower.
 *
 * @param deno The version of Deno
 * @returns The modules
 * @throws {TrackerError} BAD_ARGUMENT when that version is too old
 */
export function loadNodeModules(deno: string = Deno.version.deno): NodeModules {
  if (!isRecent(deno)) {
    const why = `a server needs Deno ${NEEDED.join(".")} or later for it, and this is ${deno}`;
    throw new TrackerError("BAD_ARGUMENT", `Cannot speak TLS: ${why}`);
  }
  return { tls: getBuiltinModule("node:tls"), stream: getBuiltinModule("node:stream") };
}

function isRecent(version: string): boolean {
  const parts = version.split(/[.+-]/).map(Number);
  const at = NEEDED.findIndex((needed, index) => needed !== parts[index]);
  return at === -1 || parts[at]! > NEEDED[at]!;
}

/**
 * Prepares a certificate. Node's TLS would take anything, and fail with every connection.
 *
 * @param modules Node's
 * @param pair The certificate and its key
 * @returns What connections need of them
 * @throws {TrackerError} BAD_CERTIFICATE when they cannot be used
 */
export function createSecureContext({ tls }: NodeModules, { cert, key }: KeyPair): SecureContext {
  try {
    // Deno checks a key pair only for a listener, or in a way that ends the process. This one accepts nobody.
    Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key }).close();
  } catch (cause) {
    throw keyPairError(cause) ?? listenError(LOOPBACK, cause);
  }
  return tls.createSecureContext({ cert, key });
}

/** Gets a module of Node.js without importing it. */
function getBuiltinModule<T>(name: string): T {
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): T } };
  return process.getBuiltinModule(name);
}
