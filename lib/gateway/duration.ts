/**
 * Durations in a query.
 *
 * @module
 */

import { badRequest } from "../http/http_error.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600 };

/**
 * Parses a duration as the command line writes it: `500ms`, `10s`, `1.5m`, `1h`, or a bare number of seconds.
 *
 * @param name The parameter's name
 * @param text What was written
 * @returns Seconds
 * @throws {HttpError} BAD_REQUEST if it is none
 */
export function parseDuration(name: string, text: string): number {
  const [, amount, unit = "s"] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (amount === undefined) throw badRequest(`the parameter ${name} is no duration such as 5m`);
  return Number(amount) * UNITS[unit]!;
}
