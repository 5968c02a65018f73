/**
 * Revisions as entity tags.
 *
 * @module
 */

import type { Position } from "../map/position.ts";
import { badRequest } from "../http/http_error.ts";

/**
 * Writes a place in the map's history.
 *
 * @param position The place
 * @returns `INCARNATION:REVISION`
 */
function formatPosition({ incarnation, revision }: Position): string {
  return `${incarnation}:${revision}`;
}

/**
 * Parses a place in the map's history.
 *
 * @param text What was written
 * @returns The place; `null` if it is none
 */
export function parsePosition(text: string): Position | null {
  const [, incarnation, digits] = /^([\x21-\x7e]{1,255}):(\d{1,15})$/.exec(text) ?? [];
  return incarnation === undefined ? null : { incarnation, revision: Number(digits) };
}

/**
 * Writes an entity tag.
 *
 * @param position The place in the map's history that it stands for
 * @returns The tag, in quotes
 */
export function formatTag(position: Position): string {
  return `"${formatPosition(position)}"`;
}

/**
 * Tells whether a client has what it would be sent.
 *
 * @param header The header If-None-Match
 * @param tag The tag of what it would be sent
 * @returns Whether it is among those of the header
 */
export function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((each) => each.trim().replace(/^W\//, "") === tag);
}

/** What a client's precondition asks for: a revision, any, or one that cannot be. */
export type Precondition = number | "any" | "never";

/**
 * Parses the header If-Match.
 *
 * @param header The header
 * @param incarnation The map's present life
 * @returns What it asks for
 * @throws {HttpError} BAD_REQUEST if it is not one tag
 */
export function parseIfMatch(header: string, incarnation: string): Precondition {
  const text = header.trim();
  if (text === "*") return "any";
  const [, inner] = /^"([\x21\x23-\x7e]+)"$/.exec(text) ?? [];
  const position = inner === undefined ? null : parsePosition(inner);
  if (position !== null) return position.incarnation === incarnation ? position.revision : "never";
  if (/^"?\d{1,15}"?$/.test(text)) return Number(text.replaceAll('"', ""));
  throw badRequest("its If-Match is not one entity tag");
}
