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
  tokens(): Tokens;
  /** Networks whose connections need neither a Hello nor a token, and may do everything. */
  trustedNetworks: readonly Cidr[];
}

/**
 * What a connection may do before its Hello.
 *
 * @param rules What the server requires; `null` for nothing
 * @param address The client's IP address
 * @returns Its permission
 */
export function accessOf(rules: AccessRules | null, address: string): Permission | "none" {
  if (rules === null) return "write";
  return rules.trustedNetworks.some((network) => network.contains(address)) ? "write" : "none";
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
  const grant = token === undefined ? null : rules.tokens().find(token);
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
