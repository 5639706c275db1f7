import { statSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Meter } from "#base/meter.ts";
import type { Database } from "#disk/sqlite.ts";
import type { HubStatus } from "#wire/status.ts";
import type { RequestFacts } from "./serve/serve.ts";

/** Counts requests and how long they took. */
export function meterRequests(meter: Meter): (facts: RequestFacts) => void {
  const requests = meter.counter("fed_http_requests_total", "Requests by endpoint and status.");
  const took = meter.histogram(
    "fed_http_request_duration_seconds",
    "How long requests took.",
    [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
  );
  return ({ endpoint, status, tookMs }) => {
    requests.add({ endpoint, status: String(status) });
    took.observe(tookMs / 1_000, { endpoint });
  };
}

/** How often the lateness of the event loop is measured; what comes of it holds this much when nothing is late. */
const lagEveryMs = 20;

/** How late the loop was, of what `monitorEventLoopDelay` measured: from one measurement to the next, in nanoseconds. */
export function lateSeconds(betweenNs: number): number {
  return Math.max(0, betweenNs / 1e9 - lagEveryMs / 1_000);
}

/** What the hub tells of itself at `/metrics`, under the names that Prometheus' own clients use where there is one. */
export function registerOwnMetrics(
  meter: Meter,
  needs: { readonly version: string; readonly db: Database; status(): HubStatus; lastEvent(): number },
): { close(): void } {
  const { db } = needs;
  const startedSeconds = Date.now() / 1_000 - process.uptime();
  const lag = monitorEventLoopDelay({ resolution: lagEveryMs });
  lag.enable();
  meter.watch("fed_build_info", "gauge", "The version that runs.", () => [
    { labels: { version: needs.version, node: process.versions.node }, value: 1 },
  ]);
  meter.watch("process_start_time_seconds", "gauge", "When the process began, since the epoch.", () => startedSeconds);
  meter.watch("process_resident_memory_bytes", "gauge", "Resident memory.", () => process.memoryUsage.rss());
  meter.watch("process_cpu_seconds_total", "counter", "Time on the processor, user and system.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  meter.watch("nodejs_eventloop_lag_p99_seconds", "gauge", "How late the event loop was, since asked last.", () => {
    const seconds = lateSeconds(lag.percentile(99));
    lag.reset();
    return seconds;
  });
  meter.watch("fed_database_bytes", "gauge", "Size of the control database and its log.", () => {
    return ["", "-wal"].reduce((sum, end) => sum + (statSync(db.path + end, { throwIfNoEntry: false })?.size ?? 0), 0);
  });
  meter.watch("fed_events_total", "counter", "Events of the log.", () => needs.lastEvent());
  meter.watch("fed_services", "gauge", "Services of the lab by state.", () => {
    const counts = new Map<string, number>();
    for (const { state } of needs.status().services) counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, value]) => ({ labels: { state }, value }));
  });
  return { close: () => lag.disable() };
}
