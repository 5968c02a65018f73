/**
 * What it means when TLS fails.
 *
 * Deno hands over what rustls says as text, and nothing else: no code, no class. This is the one place that reads such
 * text, and turns it into codes and reasons that programs can rely on.
 *
 * @module
 */

import { type ErrorReason, messageOf, TrackerError } from "../errors.ts";

/**
 * Explains why a certificate and a key cannot be used.
 *
 * @param cause What Deno said of them
 * @returns BAD_CERTIFICATE, or `null` when it was about something else
 */
export function keyPairError(cause: unknown): TrackerError | null {
  const why = explain(messageOf(cause), KEY_PAIR_FAILURES);
  if (why === null) return null;
  const reason = "own-certificate";
  return new TrackerError("BAD_CERTIFICATE", `Cannot use certificate: ${why}`, { cause, reason });
}

/**
 * Explains why a client could not agree on TLS with a server.
 *
 * @param address Where the server is
 * @param cause What Deno said
 * @returns BAD_CERTIFICATE, TLS_FAILED or CONNECTION_FAILED
 */
export function serverHandshakeError(address: string, cause: unknown): TrackerError {
  const untrusted = /^invalid peer certificate: (.*)/s.exec(messageOf(cause))?.[1];
  if (untrusted === undefined) return handshakeError(`connect to ${address}`, "server", cause);
  const why = explain(untrusted, CERTIFICATE_FAILURES) ?? untrusted;
  const reason = UNKNOWN_ISSUER.test(untrusted) ? "unknown-issuer" : undefined;
  return new TrackerError("BAD_CERTIFICATE", `Cannot trust the certificate of ${address}: ${why}`, { cause, reason });
}

/**
 * Explains why a server could not agree on TLS with a client.
 *
 * @param cause What Deno said
 * @param wasHeard Whether the client has sent anything
 * @returns TLS_FAILED or CONNECTION_FAILED; its reason is `silent-peer` where nothing was sent, as by a check of health
 */
export function clientHandshakeError(cause: unknown, wasHeard: boolean): TrackerError {
  return handshakeError("agree on TLS", "client", cause, wasHeard ? "unreachable" : "silent-peer");
}

function handshakeError(
  action: string,
  peer: string,
  cause: unknown,
  reason: ErrorReason = "unreachable",
): TrackerError {
  const message = messageOf(cause);
  const alert = /^received fatal alert: (.*)/.exec(message)?.[1];
  if (alert !== undefined) return tlsFailed(action, `the ${peer} broke it off (${alert})`, cause);
  if (/^received corrupt message/.test(message)) {
    return tlsFailed(action, `the ${peer} speaks no TLS on this connection`, cause, "peer-speaks-plain");
  }
  if (cause instanceof Error && BREAKS.includes(cause.name)) {
    const why = `the ${peer} ended the connection before both had agreed on TLS`;
    return new TrackerError("CONNECTION_FAILED", `Cannot ${action}: ${why}`, { cause, reason });
  }
  return tlsFailed(action, message, cause);
}

function tlsFailed(action: string, why: string, cause: unknown, reason?: ErrorReason): TrackerError {
  return new TrackerError("TLS_FAILED", `Cannot ${action}: ${why}`, { cause, reason });
}

/** What Deno calls the errors of a connection that has ended. */
const BREAKS = ["UnexpectedEof", "ConnectionReset", "BrokenPipe", "ConnectionAborted"];

/** What rustls says, and what it means to the person who has to do something about it. */
type Explanations = readonly (readonly [RegExp, (match: RegExpExecArray) => string])[];

const KEY_PAIR_FAILURES: Explanations = [
  [/No certificates found/, () => "there is no certificate in it; it must be in PEM (-----BEGIN CERTIFICATE-----)"],
  [/Unable to decode certificate|peer certificate/, () => "the certificate is damaged"],
  [/No keys found/, () => "there is no key in its key file; it must be in PEM, without a passphrase"],
  [/private key/, () => "the key is damaged, or neither RSA of 2,048 bits or more, nor ECDSA, nor Ed25519"],
  [/keys may not be consistent/, () => "the key is not the key of this certificate"],
];

const UNKNOWN_ISSUER = /UnknownIssuer/;

const CERTIFICATE_FAILURES: Explanations = [
  [UNKNOWN_ISSUER, () => {
    return "no authority that is trusted here has issued it (caCerts adds one), " +
      "or the server does not send the intermediate certificates between the two";
  }],
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

function explain(message: string, explanations: Explanations): string | null {
  for (const [pattern, meaning] of explanations) {
    const match = pattern.exec(message);
    if (match !== null) return meaning(match);
  }
  return null;
}

function dateOf(seconds = "0"): string {
  return new Date(Number(seconds) * 1_000).toISOString();
}
