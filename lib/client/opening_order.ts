/**
 * The order in which clients opened, found out again from a snapshot.
 *
 * @module
 */

/**
 * Sorts clients by when they opened. A snapshot comes in the order of last change, and its times are whole milliseconds:
 * within one, the numbers of numbered clients tell the order, and of others nothing does.
 *
 * @param clients Clients by identifier
 * @param openedAt Finds out when a client opened, in milliseconds
 * @returns The same clients in another order
 */
export function inOpeningOrder<T>(clients: ReadonlyMap<string, T>, openedAt: (id: string) => number): Map<string, T> {
  const order = Array.from(clients.keys(), (id) => ({ id, at: openedAt(id), number: numberOf(id) }));
  order.sort((one, other) => one.at < other.at ? -1 : one.at > other.at ? 1 : one.number - other.number);
  return new Map(order.map(({ id }) => [id, clients.get(id)!]));
}

/** The number in an identifier that the server has given; 0 for a name. */
function numberOf(id: string): number {
  const digits = /^client(\d+)$/.exec(id)?.[1];
  return digits === undefined ? 0 : Number(digits);
}
