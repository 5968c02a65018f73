/**
 * The flags of `tracker serve` for HTTP.
 *
 * @module
 */

import { LazyGateway } from "../../gateway/lazy_gateway.ts";
import { originOf } from "../../gateway/options.ts";
import { type Flag, type FlagValues, toggle } from "./flags.ts";
import { quote, UsageError } from "./usage.ts";
import { listeningPort, networks } from "./values.ts";

const portFlag: Flag<number | undefined> = {
  placeholder: "PORT",
  default: "",
  description: "a port on which only HTTP is spoken; unless given it is spoken on the ports above; 0 for any free one",
  parse: (text) => text === "" ? undefined : listeningPort(text),
};

/** The flags. */
export const HTTP_FLAGS = {
  "http-port": portFlag,
  "no-http": toggle("speak no HTTP: no WebSocket, no REST, no metrics"),
  "http-from": {
    placeholder: "NETWORKS",
    default: "",
    description: "networks that HTTP is spoken with, such as 10.0.0.0/8,::1; all unless given",
    parse: networks,
  },
  "allow-origin": {
    placeholder: "ORIGINS",
    default: "",
    description: "other sites whose pages may ask over HTTP, such as https://example.com; * for all",
    parse: (text: string) => listOf(text).map(origin),
  },
  "metrics-prefix": {
    placeholder: "PREFIXES",
    default: "",
    description: "prefixes of identifiers, separated by commas, whose clients /metrics counts on their own",
    parse: listOf,
  },
} as const;

/**
 * Makes the gateway that the flags ask for.
 *
 * @param flags Their values
 * @param given Which of them are given
 * @returns The gateway, which loads nothing yet; `null` if HTTP is not to be spoken
 * @throws {UsageError} when they contradict each other
 */
export function gatewayFrom(flags: FlagValues<typeof HTTP_FLAGS>, given: ReadonlySet<string>): LazyGateway | null {
  if (flags["no-http"]) {
    const other = Object.keys(HTTP_FLAGS).find((name) => name !== "no-http" && given.has(name));
    if (other !== undefined) throw new UsageError(`--${other} goes without --no-http`);
    return null;
  }
  const { "http-port": port, "http-from": from } = flags;
  return new LazyGateway({
    ...port !== undefined && { port },
    ...from.length !== 0 && { from },
    allowOrigin: flags["allow-origin"],
    metricsPrefixes: flags["metrics-prefix"],
  });
}

function listOf(text: string): string[] {
  return text.split(",").map((word) => word.trim()).filter((word) => word !== "");
}

function origin(text: string): string {
  try {
    return originOf(text);
  } catch {
    throw new UsageError(`must be origins such as https://example.com, separated by commas, not ${quote(text)}`);
  }
}
