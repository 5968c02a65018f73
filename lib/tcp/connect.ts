/**
 * Connecting a client over TCP or TLS.
 *
 * @module
 */

import { withTimeout } from "../base/async.ts";
import { DEFAULT_CALL_TIMEOUT } from "../client/calls.ts";
import { Client } from "../client/client.ts";
import type { Dial } from "../client/establish.ts";
import type { ClientOptions } from "../client/options.ts";
import { TrackerError } from "../errors.ts";
import { DEFAULT_PORT, DEFAULT_TLS_PORT } from "../protocol.ts";
import { dial } from "./dial.ts";
import { dialTls } from "./dial_tls.ts";
import { checkTls, type ClientTlsOptions } from "./options.ts";

/** Options for {@linkcode dialer}: where a server is, and how to get there. */
export interface DialerOptions {
  /** The server's address. Default `"127.0.0.1"`. */
  hostname?: string;
  /** The server's port. Default 6789, with TLS 6790. */
  port?: number;
  /** Whether, and how, to speak TLS: `true` trusts the authorities that Deno trusts. Default `false`. */
  tls?: boolean | ClientTlsOptions;
}

/** Options for {@linkcode connect}. */
export interface ConnectOptions extends DialerOptions, Omit<ClientOptions, "dial"> {
  /**
   * How long to wait for the first connection, in milliseconds; 0 for no limit. Default the `timeout` of calls with
   * `reconnect`; without, each step of the one attempt has that limit, and this is none unless given.
   */
  connectTimeout?: number;
  /** Makes the connection. Default over TCP, or TLS, to `hostname` and `port`. */
  dial?: Dial;
}

/**
 * Connects to a server and, if there is a state, opens with it. With `reconnect` it tries for as long as
 * `connectTimeout` allows.
 *
 * @param options Where to connect to, and how
 * @returns The client, connected
 * @throws {TrackerError} CONNECTION_REFUSED when nothing listens there; CONNECTION_FAILED, PERMISSION_DENIED, TIMEOUT
 *   or ABORTED when it cannot connect; BAD_CERTIFICATE or TLS_FAILED when they do not agree on TLS;
 *   NAME_TAKEN or another code of the server's when it refuses; BAD_ARGUMENT when an option cannot be used
 *
 * @example Report a state, change it, read the map
 * ```ts
 * import { connect, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = await connect({ port: server.addr.port, state: "idle" });
 * client.update("working");
 * assertEquals(await client.getText(), "{client1=working}");
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const client = new Client({ ...options, dial: options.dial ?? dialer(options) });
  const { timeout = DEFAULT_CALL_TIMEOUT, connectTimeout = options.reconnect ? timeout : 0 } = options;
  try {
    await withTimeout(client.connected, {
      timeout: connectTimeout,
      onTimeout: () => {
        const message = `Cannot connect: no answer within ${connectTimeout} ms`;
        return new TrackerError("TIMEOUT", message, { reason: "unreachable" });
      },
    });
    return client;
  } catch (error) {
    const reason = client.error ?? error;
    client.abort();
    await client.finished;
    throw reason;
  }
}

/**
 * Makes the function by which a {@linkcode Client} connects to a server over TCP or TLS, for clients made with `new`.
 *
 * @param options Where the server is, and whether to speak TLS
 * @returns What `dial` of a client's options takes
 * @throws {TrackerError} BAD_ARGUMENT when a certificate is not in PEM
 *
 * @example A client that nobody waits for
 * ```ts
 * import { Client, dialer, serve } from "@tracker/tracker";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve({ port: 0 });
 * await using client = new Client({ dial: dialer({ port: server.addr.port }), state: "soon" });
 * assertEquals(await client.getText(), "{client1=soon}");
 * ```
 */
export function dialer({ hostname = "127.0.0.1", port, tls = false }: DialerOptions = {}): Dial {
  if (tls === false) return (signal, timeout) => dial(hostname, port ?? DEFAULT_PORT, signal, timeout);
  const options = tls === true ? {} : tls;
  checkTls(options);
  return (signal, timeout) => dialTls(hostname, port ?? DEFAULT_TLS_PORT, options, signal, timeout);
}
