/**
 * Metrics as text, for Prometheus and whatever reads its format.
 *
 * The format is a few lines to write, so there is no library: the usual one makes the program start ninety milliseconds
 * later. Two formats are written, which differ in little: OpenMetrics 1.0, and the older text format, 0.0.4.
 *
 * @module
 */

import type { Histogram, Stats } from "../wire/stats.ts";
import { counter, type Family, gauge, type Sample } from "./metric_family.ts";
import { processFamilies } from "./process_metrics.ts";

/** A format of metrics. */
export type MetricsFormat = "openmetrics" | "text";

/** The media type of each format. */
export const MEDIA_TYPES: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  text: "text/plain; version=0.0.4; charset=utf-8",
};

/** What is known besides the report of a server. */
export interface MetricsExtras {
  /** How many clients there are by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** How many clients there are of each prefix that is counted. */
  readonly prefixes: Readonly<Record<string, number>>;
  /** Whether the server takes connections. */
  readonly isReady: boolean;
}

/**
 * Lists the metrics of a server.
 *
 * @param stats Its report
 * @param extras What is known besides
 * @returns The families, in the order in which they are written
 */
export function familiesOf(stats: Stats, extras: MetricsExtras): Family[] {
  return [
    ...mapFamilies(stats, extras),
    ...trafficFamilies(stats),
    ...healthFamilies(stats, extras),
    ...processFamilies(),
  ];
}

function mapFamilies({ now, revision }: Stats, { statuses, prefixes }: MetricsExtras): Family[] {
  return [
    gauge("tracker_clients", "Clients in the map, by status.", labelled("status", statuses)),
    gauge("tracker_prefix_clients", "Clients whose identifier begins with a prefix.", labelled("prefix", prefixes)),
    gauge("tracker_state_bytes", "Size of all states together.", now.stateBytes),
    counter("tracker_revisions", "Changes of the map.", revision),
    gauge("tracker_connections", "Connections, including those that are being refused or closed.", now.connections),
    gauge("tracker_unauthorized_connections", "Connections that have shown no token yet.", now.unauthorized),
    gauge("tracker_watchers", "Connections that watch, in any format.", now.watchers),
  ];
}

function trafficFamilies(stats: Stats): Family[] {
  const messages = Object.entries(stats.messages).flatMap(([dialect, counts]) =>
    Object.entries(counts).map(([type, value]) => ({ value, labels: { type, dialect } }))
  );
  return [
    counter("tracker_messages", "Messages, by type and dialect; http for requests that came that way.", messages),
    counter("tracker_accepted_connections", "Connections accepted.", stats.accepted),
    counter("tracker_received_bytes", "Bytes received.", stats.bytes.received),
    counter("tracker_sent_bytes", "Bytes that the system has taken to send.", stats.bytes.sent),
    counter("tracker_errors", "Error replies, by code.", labelled("code", stats.errors)),
    counter("tracker_refusals", "Refusals for a limit, by the limit.", labelled("limit", stats.refused)),
    counter("tracker_tls_errors", "Connections that could not agree on TLS.", stats.tlsErrors),
    counter("tracker_skipped_changes", "Changes that watchers skipped because they fell behind.", stats.conflated),
  ];
}

function healthFamilies({ version, incarnation, lag, ghost }: Stats, { isReady }: MetricsExtras): Family[] {
  return [
    {
      name: "tracker_ghost_seconds",
      type: "histogram",
      help: "How long clients that were lost stayed in the map after their last sign of life.",
      samples: histogramSamples(ghost),
    },
    gauge("tracker_loop_lag_seconds", "How late the server's own timer was the last time.", lag.last / 1_000),
    gauge("tracker_loop_lag_worst_seconds", "How late it was at worst.", lag.worst / 1_000),
    gauge("tracker_ready", "Whether the server takes connections: 1 or 0.", isReady ? 1 : 0),
    {
      name: "tracker_build",
      type: "info",
      help: "The server's version, and this life of its map.",
      samples: [{ value: 1, labels: { version, incarnation } }],
    },
  ];
}

/** Buckets of a histogram count everything below their bound. */
function histogramSamples({ bounds, counts, count, sum }: Histogram): Sample[] {
  let below = 0;
  const buckets = [...bounds, Infinity].map((bound, index) => {
    below += counts[index] ?? 0;
    const le = bound === Infinity ? "+Inf" : formatNumber(bound / 1_000);
    return { suffix: "_bucket", labels: { le }, value: below };
  });
  return [...buckets, { suffix: "_sum", value: sum / 1_000 }, { suffix: "_count", value: count }];
}

function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

/**
 * Writes metrics. A family without values is left out.
 *
 * @param families The metrics
 * @param format The format
 * @returns The text
 */
export function formatMetrics(families: readonly Family[], format: MetricsFormat): string {
  const parts = families.filter(({ samples }) => samples.length !== 0).map((family) => formatFamily(family, format));
  return parts.join("") + (format === "openmetrics" ? "# EOF\n" : "");
}

function formatFamily({ name, type, help, samples }: Family, format: MetricsFormat): string {
  const isOpen = format === "openmetrics";
  const suffix = type === "counter" ? "_total" : type === "info" ? "_info" : "";
  // The older format knows no infos, and calls a family what its lines are called.
  const title = isOpen ? name : name + suffix;
  const kind = type === "info" && !isOpen ? "gauge" : type;
  const unit = /_(seconds|bytes)$/.exec(title)?.[1];
  return `# HELP ${title} ${help}\n# TYPE ${title} ${kind}\n` +
    (isOpen && unit !== undefined ? `# UNIT ${title} ${unit}\n` : "") +
    samples.map((sample) => formatSample(name + suffix, sample)).join("");
}

function formatSample(name: string, { suffix = "", labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${formatNumber(value)}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** Without the noise of binary fractions. */
function formatNumber(value: number): string {
  return `${Number(value.toPrecision(15))}`;
}
