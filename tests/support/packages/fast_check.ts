/**
 * The package fast-check, which makes up random cases.
 *
 * The packages in this folder are in no import map: whatever deno.json maps is fetched by `deno task`, and by everyone
 * who only runs the program. `tests/deno.lock` pins them; `deno.lock` lists what running needs.
 *
 * @module
 */

export { default } from "npm:fast-check@4.10.2";
