/**
 * The environment, where it may be read.
 *
 * @module
 */

/**
 * Reads a variable if that is permitted already. Asking for the permission would make a prompt of a convenience.
 *
 * @param name The variable
 * @returns Its value; `undefined` when it is not set, empty, or not for us to read
 */
export function readEnvironment(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}
