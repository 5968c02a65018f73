/**
 * TLS: what server and client are told of it, and what it means when it fails.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";

/** Who a server is: its certificate, and the key that proves that it is its own. */
export interface KeyPair {
  /** The certificate in PEM, followed by those between it and its authority, if there are any. */
  cert: string;
  /** Its private key in PEM, without a passphrase. */
  key: string;
}

/** How a server speaks TLS. */
export interface ServerTlsOptions extends KeyPair {
  /** The port for TLS; 0 takes a free one, which `tlsAddr` then tells. Default 6790. */
  port?: number;
  /** The address to listen on for TLS. Default the server's `hostname`. */
  hostname?: string;
}

/** How a client speaks TLS. */
export interface ClientTlsOptions {
  /** Certificates of authorities, in PEM, to trust besides those that Deno trusts. */
  caCerts?: readonly string[];
  /** The name or address that the server's certificate must be for. Default the one connected to. */
  serverName?: string;
}

/**
 * Says why a certificate and a key cannot be used.
 *
 * @param cause What Deno said of them
 * @returns BAD_CERTIFICATE, or `null` when it was about something else
 */
export function keyPairError(cause: unknown): TrackerError | null {
  const why = explain(cause, KEY_PAIR_FAILURES);
  return why === null ? null : new TrackerError("BAD_CERTIFICATE", `Cannot use certificate: ${why}`, { cause });
}

/**
 * Says why a client could not agree on TLS with a server.
 *
 * @param address Where the server is
 * @param cause What Deno said
 * @returns BAD_CERTIFICATE, TLS_FAILED or CONNECTION_FAILED
 */
export function serverHandshakeError(address: string, cause: unknown): TrackerError {
  const untrusted = /^invalid peer certificate: (.*)/s.exec(messageOf(cause))?.[1];
  if (untrusted !== undefined) {
    const why = explain(untrusted, CERTIFICATE_FAILURES) ?? untrusted;
    return new TrackerError("BAD_CERTIFICATE", `Cannot trust the certificate of ${address}: ${why}`, { cause });
  }
  return handshakeError(`connect to ${address}`, "server", cause);
}

/**
 * Says why a server could not agree on TLS with a client.
 *
 * @param cause What Deno said
 * @returns TLS_FAILED or CONNECTION_FAILED
 */
export function clientHandshakeError(cause: unknown): TrackerError {
  return handshakeError("agree on TLS", "client", cause);
}

function handshakeError(action: string, peer: string, cause: unknown): TrackerError {
  const message = messageOf(cause);
  const alert = /^received fatal alert: (.*)/.exec(message)?.[1];
  if (alert !== undefined) return tlsFailed(action, `the ${peer} broke it off (${alert})`, cause);
  if (/^received corrupt message/.test(message)) {
    return tlsFailed(action, `the ${peer} speaks no TLS on this connection`, cause);
  }
  if (cause instanceof Error && BREAKS.includes(cause.name)) {
    const why = `the ${peer} ended the connection before both had agreed on TLS`;
    return new TrackerError("CONNECTION_FAILED", `Cannot ${action}: ${why}`, { cause });
  }
  return tlsFailed(action, message, cause);
}

function tlsFailed(action: string, why: string, cause: unknown): TrackerError {
  return new TrackerError("TLS_FAILED", `Cannot ${action}: ${why}`, { cause });
}

/** What Deno calls the errors of a connection that has ended. Not by class: there may be no Deno here. */
const BREAKS = ["UnexpectedEof", "ConnectionReset", "BrokenPipe", "ConnectionAborted"];

/** What rustls says, and what it means to whoever has to do something about it. */
type Explanations = readonly (readonly [RegExp, (match: RegExpExecArray) => string])[];

const KEY_PAIR_FAILURES: Explanations = [
  [/No certificates found/, () => "there is no certificate in it; it must be in PEM (-----BEGIN CERTIFICATE-----)"],
  [/Unable to decode certificate|peer certificate/, () => "the certificate is damaged"],
  [/No keys found/, () => "there is no key in its key file; it must be in PEM, without a passphrase"],
  [/private key/, () => "the key is damaged, or neither RSA, ECDSA nor Ed25519"],
  [/keys may not be consistent/, () => "the key is not the key of this certificate"],
];

const CERTIFICATE_FAILURES: Explanations = [
  [/UnknownIssuer/, () => "no authority that is trusted here has issued it (caCerts adds one)"],
  [/not valid after (\d+)/, ([, at]) => `it expired on ${dateOf(at)}; renew it, or set the clock of this machine`],
  [/expired/i, () => "it has expired; renew it, or set the clock of this machine"],
  [/not valid before (\d+)/, ([, at]) => `it is valid only from ${dateOf(at)} on; is the clock of this machine right?`],
  [/not ?valid ?yet/i, () => "it is not valid yet; is the clock of this machine right?"],
  [/CaUsedAsEndEntity/, () => "it is an authority's own (CA:TRUE); a server needs one of its own, with CA:FALSE"],
  [/not valid for name "([^"]*)"; certificate is only valid for (.*)/, ([, name, names = ""]) => {
    return `it is for ${names.replaceAll(/\w+\("?([^")]*)"?\)/g, "$1")}, not for ${name}`;
  }],
  [/not valid for name "([^"]*)"/, ([, name]) => `it is not for ${name}, nor for any other name (subjectAltName)`],
  [/not ?valid ?for ?name/i, () => "it is for another name than the one connected to"],
];

function explain(cause: unknown, explanations: Explanations): string | null {
  const message = messageOf(cause);
  for (const [pattern, meaning] of explanations) {
    const match = pattern.exec(message);
    if (match !== null) return meaning(match);
  }
  return null;
}

function dateOf(seconds = "0"): string {
  return new Date(Number(seconds) * 1_000).toISOString();
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
