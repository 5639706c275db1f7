/**
 * The store of samples against Prometheus and VictoriaMetrics on the same data: bytes a sample on the disk, and samples appended in
 * a second. Node-like series (500 × 24 h at 10 s) and counters that grow by random cents. A peer that is not installed is left
 * out. Exits 1 when a limit is broken. `--quick`: 4 hours instead of 24.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { labelsOf } from "../packages/fed/src/engine/series/labels.ts";
import { openTsdb } from "../packages/fed/src/engine/tsdb/tsdb.ts";
import { centSeries, type MadeSeries, nodeSeries, scrapeTimes } from "./node-series.ts";

const stepMs = 10_000;
const hours = process.argv.includes("--quick") ? 4 : 24;
const samples = (hours * 3_600_000) / stepMs;
const dayMs = 86_400_000;
const startMs = Math.floor(Date.now() / dayMs - 2) * dayMs;
const times = scrapeTimes(startMs, stepMs, samples);
/** As many machines, each of which waits for its acknowledgement: they share commits. */
const writers = 8;
const print = (text: string) => process.stdout.write(`${text}\n`);

interface Measured {
  readonly bytesPerSample: number;
  readonly samplesPerS?: number;
  readonly samplesPerCpuS?: number;
  readonly note?: string;
}

async function measureFed(
  series: readonly MadeSeries[],
  durability: "strict" | "relaxed",
  batchRows = 1000,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-tsdb-"));
  const store = await openTsdb(folder, { clock: systemClock, durability });
  try {
    const labels = series.map((one) => labelsOf(one.labels));
    let batch = { labels: [] as (readonly string[])[], times: [] as number[], values: [] as number[] };
    const batches = [];
    for (let i = 0; i < samples; i++) {
      for (const [nth, { values }] of series.entries()) {
        batch.labels.push(labels[nth] as readonly string[]);
        batch.times.push(times[i] as number);
        batch.values.push(values[i] as number);
        if (batch.labels.length < batchRows) continue;
        batches.push({
          labels: batch.labels,
          times: Float64Array.from(batch.times),
          values: Float64Array.from(batch.values),
        });
        batch = { labels: [], times: [], values: [] };
      }
    }
    let added = 0;
    const before = process.cpuUsage();
    const begunMs = performance.now();
    const rest = batches[Symbol.iterator]();
    const writer = async () => {
      for (const one of rest) {
        const answer = await store.append(one);
        added += answer.added;
      }
    };
    await Promise.all(Array.from({ length: writers }, writer));
    await store.maintain();
    const tookS = (performance.now() - begunMs) / 1000;
    const { user, system } = process.cpuUsage(before);
    // What is still in memory is sealed by one sample of the day after, so that all is in blocks.
    const last = Float64Array.of(startMs + 2 * dayMs - 600_000);
    await store.append({ labels: [labelsOf({ __name__: "last" })], times: last, values: Float64Array.of(1) });
    await store.maintain();
    const { blockBytes, blockSamples } = await store.stats();
    const cpuS = (user + system) / 1e6;
    return {
      bytesPerSample: blockBytes / blockSamples,
      samplesPerS: added / tookS,
      samplesPerCpuS: added / cpuS,
      note: `${(added / cpuS / 1e6).toFixed(2)} M/s per CPU second, sealing and compaction included`,
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function* lines(series: readonly MadeSeries[], openMetrics: boolean): AsyncGenerator<string> {
  for (const { labels, values } of [...series].sort((a, b) =>
    (a.labels.__name__ ?? "") < (b.labels.__name__ ?? "") ? -1 : 1,
  )) {
    const { __name__: name, ...others } = labels;
    const inner = Object.entries(others).map(([key, value]) => `${key}="${value}"`);
    let text = "";
    for (let i = 0; i < samples; i++) {
      const time = times[i] as number;
      text += `${name}{${inner.join(",")}} ${values[i]} ${openMetrics ? (time / 1000).toFixed(3) : time}\n`;
    }
    yield text;
  }
  if (openMetrics) yield "# EOF\n";
}

const has = (command: string) => spawnSync("which", [command]).status === 0;

async function measurePrometheus(series: readonly MadeSeries[]): Promise<Measured | undefined> {
  if (!has("promtool")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-prom-"));
  try {
    const file = createWriteStream(join(folder, "in.txt"));
    for await (const text of lines(series, true))
      if (!file.write(text)) await new Promise((resolve) => file.once("drain", resolve));
    file.end();
    await finished(file);
    const begunMs = performance.now();
    // Blocks of a day, as compaction makes them in the end.
    execFileSync(
      "promtool",
      ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "in.txt", "data"],
      {
        cwd: folder,
        stdio: "ignore",
      },
    );
    const tookS = (performance.now() - begunMs) / 1000;
    const bytes = sizeOf(join(folder, "data"));
    const all = series.length * samples;
    return { bytesPerSample: bytes / all, note: `text to blocks: ${(all / tookS / 1e6).toFixed(2)} M/s` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureVictoria(series: readonly MadeSeries[]): Promise<Measured | undefined> {
  if (!has("victoria-metrics")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-vm-"));
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const args = [
    `-storageDataPath=${folder}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    "-retentionPeriod=10y",
    "-search.latencyOffset=0s",
  ];
  const child = spawn("victoria-metrics", args, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    for (let tries = 0; (await call(port, "GET", "/health")) === 0 && tries < 100; tries++) await delay(100);
    const begunMs = performance.now();
    await call(port, "POST", "/api/v1/import/prometheus", lines(series, false));
    const tookS = (performance.now() - begunMs) / 1000;
    await call(port, "GET", "/internal/force_flush");
    await call(port, "GET", "/internal/force_merge");
    let before = -1;
    for (let now = sizeOf(folder); now !== before; now = sizeOf(folder)) {
      before = now;
      await delay(3000);
    }
    child.kill("SIGINT");
    await ended;
    const all = series.length * samples;
    return {
      bytesPerSample: sizeOf(join(folder, "data")) / all,
      note: `text import: ${(all / tookS / 1e6).toFixed(2)} M/s`,
    };
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The status; 0 when nobody answers. */
function call(port: number, method: string, path: string, body?: AsyncGenerator<string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const out = request({ host: "127.0.0.1", port, method, path }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    out.on("error", (error) => (body ? reject(error) : resolve(0)));
    const send = async () => {
      for await (const text of body ?? []) if (!out.write(text)) await new Promise((next) => out.once("drain", next));
      out.end();
    };
    send().catch(reject);
  });
}

function sizeOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  return found.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : found.size;
}

let broken = false;
function judge(what: string, ratio: number, limit: number, atLeast = false) {
  const good = atLeast ? ratio >= limit : ratio <= limit;
  broken ||= !good;
  print(`  ${good ? "pass" : "FAIL"}  ${what}: ${ratio.toFixed(2)} (${atLeast ? "at least" : "at most"} ${limit})`);
}

for (const [name, series] of [
  ["node_exporter-like", nodeSeries(stepMs / 1000, samples)],
  ["random cents", centSeries(samples)],
] as const) {
  print(`${name}: ${series.length} series × ${samples} samples, ${hours} h at ${stepMs / 1000} s`);
  const fed = await measureFed(series, "strict");
  const show = (who: string, { bytesPerSample, samplesPerS, note }: Measured) =>
    print(
      `  ${who.padEnd(18)} ${bytesPerSample.toFixed(3)} bytes/sample${samplesPerS ? `, ${(samplesPerS / 1e6).toFixed(2)} M samples/s` : ""}${note ? ` (${note})` : ""}`,
    );
  show("fed, strict", fed);
  show("fed, relaxed", await measureFed(series, "relaxed"));
  const prometheus = await measurePrometheus(series);
  const victoria = await measureVictoria(series);
  if (prometheus) show("Prometheus", prometheus);
  if (victoria) show("VictoriaMetrics", victoria);
  if (prometheus) judge("bytes against Prometheus", fed.bytesPerSample / prometheus.bytesPerSample, 0.4);
  if (victoria) judge("bytes against VictoriaMetrics", fed.bytesPerSample / victoria.bytesPerSample, 1.1);
  const cpu = (fed.samplesPerCpuS ?? 0) / 1e6;
  judge(`M samples per CPU second in batches of 1,000 from ${writers} writers, durable`, cpu, 1, true);
}
process.exit(broken ? 1 : 0);
