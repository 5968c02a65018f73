/**
 * What a connection may do.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Cidr } from "./cidr.ts";
import type { Grant, Permission, Tokens } from "./tokens.ts";

/** What a server requires of its clients. */
export interface AccessRules {
  /** The tokens it accepts; called for each Hello, so that they can be replaced while the server runs. */
  readonly tokens: (() => Tokens) | null;
  /** Decides in place of tokens. */
  readonly authorize: Authorize | null;
  /** Networks whose connections need neither a Hello nor a token, and may do everything. */
  readonly trustedNetworks: readonly Cidr[];
}

/** What a client asks for in its Hello, as far as it matters here. */
export interface Applicant {
  /** The name that it wants. */
  readonly name?: string;
  /** The token that it shows. */
  readonly token?: string;
}

/** What the program that runs a server allows a client. */
export interface Admittance {
  /** What it may do. */
  access: Permission;
  /** With what every identifier begins that it may see, take, set, drop or end; anything unless given. */
  prefix?: string;
  /** The name that it gets, whatever it has asked for. */
  name?: string;
  /** What people and the log know it by, as they know a token by its name; `"authorized"` unless given. */
  label?: string;
}

/**
 * Decides whether a client may come in.
 *
 * @param hello The client's Hello
 * @param peer Where the client is
 * @returns What it may do; `null` to refuse it with UNAUTHORIZED. A {@linkcode TrackerError} that it throws, or rejects
 *   with, is told to the client; for anything else the client is told UNAVAILABLE, and tries again.
 */
// deno-lint-ignore no-explicit-any -- The Hello's type belongs to a room that this one must not know.
export type Authorize<Hello extends Applicant = any, Peer = any> = (
  hello: Hello,
  peer: Peer,
) => Admittance | null | Promise<Admittance | null>;

/**
 * What a connection may do before its Hello.
 *
 * @param rules What the server requires; `null` for nothing
 * @param address The client's IP address
 * @returns Its permission
 */
export function accessOf(rules: AccessRules | null, address: string): Permission | "none" {
  if (rules === null) return "admin";
  return rules.trustedNetworks.some((network) => network.contains(address)) ? "admin" : "none";
}

/**
 * Tells whether somebody may change the map.
 *
 * @param permission What it may do
 * @returns Whether that is more than reading
 */
export function mayWrite(permission: Permission | "none"): boolean {
  return permission === "write" || permission === "admin";
}

/**
 * Looks a token up.
 *
 * @param rules What the server requires
 * @param token The token that the client has shown, if any
 * @returns What the token allows
 * @throws {TrackerError} UNAUTHORIZED if the server does not accept the token
 */
export function grantOf(rules: AccessRules, token: string | undefined): Grant {
  const grant = token === undefined ? null : rules.tokens?.().find(token) ?? null;
  if (grant === null) throw unauthorized(token === undefined ? "a token is needed" : "the token is not known here");
  return grant;
}

/**
 * Makes the error for something that is not allowed. It does not reveal what would be.
 *
 * @param why What is missing
 * @returns An UNAUTHORIZED error
 */
export function unauthorized(why: string): TrackerError {
  return new TrackerError("UNAUTHORIZED", `Cannot give access: ${why}`);
}
