/**
 * Who may do what on a connection.
 *
 * @module
 */

import { TrackerError } from "../errors.ts";
import type { Cidr } from "./cidr.ts";
import type { Grant, Permission, Tokens } from "./tokens.ts";

/** What a server asks of those who connect. */
export interface AccessRules {
  /** The tokens it takes; read again at each Hello, so that they can be replaced while it runs. */
  tokens(): Tokens;
  /** Networks whose connections need no Hello and no token, and may do everything. */
  trustedNetworks: readonly Cidr[];
}

/** What a connection may do before it has said anything. */
export function accessOf(rules: AccessRules | null, address: string): Permission | "none" {
  if (rules === null) return "write";
  return rules.trustedNetworks.some((network) => network.contains(address)) ? "write" : "none";
}

/**
 * Looks a token up.
 *
 * @param rules What the server asks
 * @param token What the client has shown, if anything
 * @returns What it allows
 * @throws {TrackerError} UNAUTHORIZED when it is no token of the server's
 */
export function grantOf(rules: AccessRules, token: string | undefined): Grant {
  const grant = token === undefined ? null : rules.tokens().find(token);
  if (grant === null) throw unauthorized(token === undefined ? "a token is needed" : "the token is not known here");
  return grant;
}

/** Says that something is not allowed, and nothing about what is. */
export function unauthorized(why: string): TrackerError {
  return new TrackerError("UNAUTHORIZED", `Cannot give access: ${why}`);
}
