/**
 * The one place that knows which version this is: the project's own configuration.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

/** The version, such as `0.1.0`. */
export const VERSION: string = config.version;
