/**
 * Metrics of the process, by the names that Prometheus's own libraries use.
 *
 * @module
 */

import { counter, type Family, gauge } from "./metric_family.ts";

/** The process as Node.js tells of it, as far as it is in use here. */
interface NodeProcess {
  cpuUsage(): { readonly user: number; readonly system: number };
}

/**
 * Lists the metrics of this process. What the system does not tell, or may not be asked, is left out.
 *
 * @returns The families
 */
export function processFamilies(): Family[] {
  const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
  const cpu = cpuSeconds();
  const descriptors = openDescriptors();
  return [
    gauge(
      "process_start_time_seconds",
      "When the process started, since 1970.",
      Math.round(performance.timeOrigin) / 1_000,
    ),
    gauge("process_resident_memory_bytes", "Memory that the process takes.", rss),
    ...cpu === null ? [] : [counter("process_cpu_seconds", "Time that the processors have spent on it.", cpu)],
    ...descriptors === null ? [] : [gauge("process_open_fds", "File descriptors that are open.", descriptors)],
    gauge("tracker_heap_used_bytes", "Memory that objects take.", heapUsed),
    gauge("tracker_heap_size_bytes", "Memory that is reserved for objects.", heapTotal),
    gauge("tracker_external_bytes", "Memory of buffers.", external),
  ];
}

function cpuSeconds(): number | null {
  const { process } = globalThis as unknown as { process?: NodeProcess };
  try {
    const usage = process?.cpuUsage();
    return usage === undefined ? null : (usage.user + usage.system) / 1_000_000;
  } catch {
    return null;
  }
}

/** Without asking first, Deno would ask the user. */
function openDescriptors(): number | null {
  const path = "/proc/self/fd";
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "read", path }).state !== "granted") return null;
  try {
    // One of them is the directory itself.
    return [...Deno.readDirSync(path)].length - 1;
  } catch {
    return null;
  }
}
