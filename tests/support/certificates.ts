/** Certificates made at run time: none is kept in the repository, so none expires there. */

import forge, { type PrivateKey, type PublicKey } from "./packages/forge.ts";
import type { KeyPair } from "../../mod.ts";

const DAY = 86_400_000;

/** A private key, in PEM and as a signing key. */
interface Key {
  readonly pem: string;
  readonly secret: PrivateKey;
  readonly shown: PublicKey;
}

/** Options for {@linkcode Authority.issue}. */
export interface CertificateOptions {
  /** Names and addresses that it is valid for. @default this machine's */
  names?: readonly string[];
  /** Start of its validity. @default yesterday */
  from?: Date;
  /** End of its validity. @default tomorrow */
  to?: Date;
  /** Whether it is an authority's. @default false */
  isAuthority?: boolean;
}

/** Names and addresses of this machine. */
const LOCAL = ["localhost", "127.0.0.1", "::1"];

/** A time long ago: a certificate valid until then has expired. */
export const LONG_AGO: Date = new Date("2001-02-03T04:05:06Z");

/** An authority that certifies anything. */
export class Authority {
  /** Its own certificate. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: Key;
  readonly #leafKey: Key;

  private constructor(name: string, key: Key, leafKey: Key) {
    this.#name = name;
    this.#key = key;
    this.#leafKey = leafKey;
    this.cert = certify(name, key.shown, { name, secret: key.secret }, { isAuthority: true, names: [] });
  }

  /** Creates an authority. */
  static async create(name = "Test Authority"): Promise<Authority> {
    return new Authority(name, await makeKey(), await makeKey());
  }

  /** Issues a certificate with its key, which is always the same because making one takes time. */
  issue(options: CertificateOptions = {}): KeyPair {
    const issuer = { name: this.#name, secret: this.#key.secret };
    return { cert: certify("Test Server", this.#leafKey.shown, issuer, options), key: this.#leafKey.pem };
  }

  /** A key that fits none of its certificates. */
  get otherKey(): string {
    return this.#key.pem;
  }
}

function certify(
  subject: string,
  key: PublicKey,
  issuer: { name: string; secret: PrivateKey },
  { names = LOCAL, from, to, isAuthority = false }: CertificateOptions,
): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = key;
  // Positive and unique.
  certificate.serialNumber = `01${crypto.randomUUID().replaceAll("-", "")}`;
  certificate.validity.notBefore = from ?? new Date(Date.now() - DAY);
  certificate.validity.notAfter = to ?? new Date(Date.now() + DAY);
  certificate.setSubject([{ name: "commonName", value: subject }]);
  certificate.setIssuer([{ name: "commonName", value: issuer.name }]);
  certificate.setExtensions([
    { name: "basicConstraints", cA: isAuthority, critical: true },
    ...isAuthority ? [{ name: "keyUsage", keyCertSign: true, critical: true }] : [],
    ...names.length === 0 ? [] : [{ name: "subjectAltName", altNames: names.map(altName) }],
  ]);
  certificate.sign(issuer.secret, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** Type of an alternative name in RFC 5280: 2 for a DNS name, 7 for an IP address. */
function altName(name: string): Record<string, unknown> {
  return /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}

/** Generates a key natively; in JavaScript that would take seconds. */
async function makeKey(): Promise<Key> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2_048,
    publicExponent: Uint8Array.of(1, 0, 1),
  };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const lines = bytes.toBase64().replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
  const secret = forge.pki.privateKeyFromPem(pem);
  return { pem, secret, shown: forge.pki.setRsaPublicKey(secret.n, secret.e) };
}
