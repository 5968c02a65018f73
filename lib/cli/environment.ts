/**
 * Environment variables, as far as they may be read.
 *
 * @module
 */

/** The variables that were asked for and may not be read. */
const unread = new Set<string>();

/**
 * Reads a variable if that is already permitted. Asking for permission would turn a convenience into a prompt.
 *
 * @param name The variable's name
 * @returns Its value; `undefined` when it is unset, empty or not permitted
 */
export function readEnvironment(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  if (state !== "granted") return void unread.add(name);
  return Deno.env.get(name) || undefined;
}

/**
 * Tells whether a variable was wanted and may not be read.
 *
 * @param name The variable's name
 * @returns `true` if it may be set all the same
 */
export function wasUnread(name: string): boolean {
  return unread.has(name);
}
