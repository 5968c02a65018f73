/**
 * What a List tells of a client besides its record.
 *
 * @module
 */

import { type Dialect, DIALECTS } from "../protocol.ts";
import { badReply } from "./bad_reply.ts";
import { encodeJson, isNumber, isString, misfit, parseObject } from "./json.ts";
import { DETAILS_SIZE } from "./list_writer.ts";

/** What a List tells of a client besides its record. */
export interface ClientDetails {
  /** Until when it stays without a connection, in milliseconds since 1970-01-01 UTC; 0 if it has one. */
  until: number;
  /** The address of its connection, or the last it had; `null` for those who may not know, and without a connection. */
  address: string | null;
  /** The dialect that it speaks, likewise. */
  dialect: Dialect | null;
  /** The name of its token, likewise, and where none is needed. */
  token: string | null;
}

/** Whose a client is, as far as it is told. */
interface Source {
  readonly address: string;
  readonly dialect: Dialect | "unsettled";
  readonly token: string | null;
}

/**
 * Encodes the details of a client.
 *
 * @param until Until when it stays without a connection
 * @param source Whose it is; `null` if that is not to be told
 * @returns JSON of at most {@linkcode DETAILS_SIZE} bytes: a name that does not fit is cut
 */
export function encodeDetails(until: number, source: Source | null): Uint8Array {
  const dialect = source === null || source.dialect === "unsettled" ? null : source.dialect;
  const details = { until, address: source?.address ?? null, dialect, token: source?.token ?? null };
  let json = encodeJson(details);
  while (json.length > DETAILS_SIZE) {
    if (details.token) details.token = withoutLast(details.token);
    else details.address = withoutLast(details.address ?? "");
    json = encodeJson(details);
  }
  return json;
}

function withoutLast(text: string): string {
  return [...text].slice(0, -1).join("");
}

const isOptionalText = (value: unknown) => value === null || isString(value);

const DETAILS = {
  until: isNumber,
  address: isOptionalText,
  dialect: (value: unknown) => value === null || (DIALECTS as readonly unknown[]).includes(value),
  token: isOptionalText,
};

/**
 * Parses the details of a client.
 *
 * @param bytes The JSON, with the spaces behind it
 * @returns The details
 * @throws {TrackerError} BAD_REPLY when they are not as they must be
 */
export function parseDetails(bytes: Uint8Array): ClientDetails {
  const json = parseObject("details", bytes, "BAD_REPLY");
  const wrong = misfit(json, DETAILS);
  if (wrong === null) return json as unknown as ClientDetails;
  throw badReply(`the details have no "${wrong}", or one out of its range`);
}
