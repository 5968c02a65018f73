/**
 * What is asked of the server itself: its health, its metrics, a ticket, and what it can do.
 *
 * @module
 */

import { toBytes } from "../../base/bytes.ts";
import { statsOf } from "../../server/context.ts";
import { VERSION } from "../../version.ts";
import { type Answer, jsonAnswer, textAnswer } from "../answer.ts";
import { familiesOf, formatMetrics, MEDIA_TYPES, type MetricsFormat } from "../metrics.ts";
import type { Call } from "../operation.ts";
import { describeRoutes } from "../openapi.ts";
import { TICKET_LIFE } from "../tickets.ts";

/** GET /health/live: whoever gets an answer knows that the event loop turns. */
export function live(): Answer {
  return jsonAnswer({ status: "live" });
}

/** GET /health/ready */
export function ready({ site: { context: { isStopping } } }: Call): Answer {
  return isStopping ? jsonAnswer({ status: "stopping" }, { status: 503 }) : jsonAnswer({ status: "ready" });
}

/** GET /metrics */
export function metrics({ request, site: { context, rules } }: Call): Answer {
  const { registry, names, isStopping } = context;
  const accepts = request.header("accept")?.includes("application/openmetrics-text") === true;
  const format: MetricsFormat = accepts ? "openmetrics" : "text";
  const { suspects, detached } = names;
  const statuses = { live: registry.size - suspects - detached, suspect: suspects, detached };
  const prefixes = Object.fromEntries(rules.prefixes.map((prefix) => [prefix, registry.countWith(prefix)]));
  const families = familiesOf(statsOf(context), { statuses, prefixes, isReady: !isStopping });
  return textAnswer(formatMetrics(families, format), MEDIA_TYPES[format]);
}

/** POST /ticket */
export function ticket({ actor: { permission, grant }, site: { tickets } }: Call): Answer {
  return jsonAnswer({ ticket: tickets.give({ permission, grant }), expiresIn: TICKET_LIFE / 1_000 }, { status: 201 });
}

/** GET /openapi.json */
export function openApi({ site: { routes } }: Call): Answer {
  return jsonAnswer(describeRoutes(routes));
}

/** GET / */
export function index({ site: { routes } }: Call): Answer {
  const rows = routes.flatMap(({ path, methods }) =>
    Object.entries(methods).map(([method, { summary }]) => {
      const target = path.slice(1);
      const isLink = method === "GET" && !path.includes("{") && target !== "" && target !== "ws";
      const name = isLink ? `<a href="${target}">${path}</a>` : path;
      return `<tr><td>${method}</td><td><code>${name}</code></td><td>${summary}</td></tr>`;
    })
  );
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tracker</title>
<h1>Tracker ${VERSION}</h1>
<p>This server knows who is connected, and what they are doing right now. It answers:</p>
<table>
${rows.join("\n")}
</table>
</html>
`;
  return { status: 200, headers: "Content-Type: text/html; charset=utf-8\r\n", body: toBytes(html) };
}
