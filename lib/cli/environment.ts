/**
 * Environment variables, as far as they may be read.
 *
 * @module
 */

/**
 * Reads a variable if that is already permitted. Asking for permission would turn a convenience into a prompt.
 *
 * @param name The variable's name
 * @returns Its value; `undefined` when it is unset, empty or not permitted
 */
export function readEnvironment(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}
