/**
 * The one place that knows which version this is: the project's own configuration.
 *
 * @module
 */

export { VERSION } from "../version.ts";
