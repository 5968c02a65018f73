/**
 * Options for the gateway.
 *
 * @module
 */

import { Cidr } from "../auth/cidr.ts";
import { TrackerError } from "../errors.ts";

/** Options for {@linkcode Gateway}. Every member has a default. */
export interface GatewayOptions {
  /**
   * A port on which only HTTP is spoken; 0 takes a free one. Unless given, HTTP is spoken on the server's own ports, where
   * a connection's first byte tells it from Tracker's messages.
   */
  port?: number;
  /** The address to listen on for that port. Default the server's `hostname`. */
  hostname?: string;
  /** Networks that HTTP is spoken with. Default all. */
  from?: readonly (Cidr | string)[];
  /**
   * Origins of other sites whose pages may ask, such as `https://example.com`; `*` for all. Pages of the server's own host
   * always may. Default none.
   */
  allowOrigin?: readonly string[];
  /** Prefixes of identifiers whose clients are counted on their own in `/metrics`. Default none. */
  metricsPrefixes?: readonly string[];
}

/** Options that are checked and complete. */
export interface GatewayRules {
  /** Networks that HTTP is spoken with; `null` for all. */
  readonly from: readonly Cidr[] | null;
  /** Origins whose pages may ask. */
  readonly origins: ReadonlySet<string>;
  /** Hosts of those, by which a proxy may ask for the server. */
  readonly hosts: ReadonlySet<string>;
  /** Prefixes whose clients are counted. */
  readonly prefixes: readonly string[];
}

/** Most prefixes: each is a line of every report. */
const MAX_PREFIXES = 64;

/**
 * Checks options.
 *
 * @param options The options
 * @returns The same, complete
 * @throws {TrackerError} BAD_ARGUMENT when one cannot be used
 */
export function rulesOf({ from, allowOrigin = [], metricsPrefixes = [] }: GatewayOptions): GatewayRules {
  if (metricsPrefixes.length > MAX_PREFIXES) {
    throw new TrackerError("BAD_ARGUMENT", `Cannot start server: there are more than ${MAX_PREFIXES} metricsPrefixes`);
  }
  const origins = new Set(allowOrigin.map(originOf));
  const hosts = Array.from(origins).filter((origin) => origin.includes("://")).map((origin) => new URL(origin).host);
  return {
    from: from?.map((network) => typeof network === "string" ? Cidr.parse(network) : network) ?? null,
    origins,
    hosts: new Set(hosts),
    prefixes: [...new Set(metricsPrefixes)],
  };
}

/**
 * Checks the origin of a site.
 *
 * @param text What was written
 * @returns The origin, as browsers write it
 * @throws {TrackerError} BAD_ARGUMENT when it is none
 */
export function originOf(text: string): string {
  if (text === "*" || text === "null") return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/?#@]+\/?$/i.test(text);
  if (isOrigin) return url.origin;
  throw new TrackerError("BAD_ARGUMENT", `Cannot allow origin: ${text} is not one such as https://example.com`);
}
