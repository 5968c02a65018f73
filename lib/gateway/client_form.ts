/**
 * A client as JSON, exactly as `tracker list --json` prints it.
 *
 * @module
 */

import type { Entry } from "../map/entry.ts";
import type { Version } from "../map/version.ts";
import type { Actor } from "../server/requester.ts";
import { recordForm } from "../wire/forms.ts";

/**
 * Converts a client for programs.
 *
 * @param client The client
 * @param actor Whoever asks: only an administrator learns whose it is
 * @returns An object, with the names that the library uses
 */
export function clientForm(
  client: Entry | Version,
  { permission }: Pick<Actor, "permission">,
): Record<string, unknown> {
  const { id, status, revision, openedAt, updatedAt, until } = client;
  const holder = permission === "admin" ? client.holder : null;
  const dialect = holder === null || holder.dialect === "unsettled" ? null : holder.dialect;
  const details = { until, address: holder?.address ?? null, dialect, token: holder?.token ?? null };
  return recordForm({ id, status, revision, openedAt, updatedAt, state: client.state, details });
}
