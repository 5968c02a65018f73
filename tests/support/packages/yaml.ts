/**
 * The package yaml, which parses YAML.
 *
 * @module
 */

export { parse } from "npm:yaml@2.9.1";
