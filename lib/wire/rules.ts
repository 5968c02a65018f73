/**
 * What the members of requests may be.
 *
 * @module
 */

import type { Position } from "../map/position.ts";
import { INSTANCE_PATTERN, NAME_PATTERN } from "../protocol.ts";
import { isNumber, isObject, isString, type Rule } from "./json.ts";

/** Any text. */
export const TEXT: Rule<string> = { text: "must be a string", allows: isString };

/** A truth value. */
export const FLAG: Rule<boolean> = { text: "must be true or false", allows: (value) => typeof value === "boolean" };

/** A name that a client can have. */
export const NAME: Rule<string> = {
  text: "must match [A-Za-z0-9._:-]{1,128} and must not be client1 or the like",
  allows: (value): value is string => isString(value) && NAME_PATTERN.test(value),
};

/** What tells a client from others. */
export const INSTANCE: Rule<string> = {
  text: "must match [A-Za-z0-9._:-]{1,64}",
  allows: (value): value is string => isString(value) && INSTANCE_PATTERN.test(value),
};

/** A whole number from 0. */
export const COUNT: Rule<number> = {
  text: "must be an integer from 0 to 2^53 - 1",
  allows: (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
};

/** A place in the history of a map. */
export const POSITION: Rule<Position> = {
  text: "must be {incarnation, revision}",
  allows: (value): value is Position => {
    if (!isObject(value)) return false;
    const { incarnation, revision } = value;
    return isString(incarnation) && Number.isSafeInteger(revision) && (revision as number) >= 0;
  },
};

/**
 * Makes the rule of a time span.
 *
 * @param least The shortest, in seconds
 * @param most The longest
 * @returns The rule
 */
export function seconds(least: number, most: number): Rule<number> {
  return {
    text: `must be a number of seconds from ${least} to ${most}`,
    allows: (value): value is number => isNumber(value) && value >= least && value <= most,
  };
}
