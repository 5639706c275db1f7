/**
 * What a store of 100,000 active series keeps in memory: a process that has the store in a thread, as the hub has it, and takes
 * hours of samples, one each minute, through sealing. Resident memory of the whole process, with Node itself and with
 * the labels that a hub knows its senders' series by. Prints figure and limit; exits 1 when a limit is broken.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Labels } from "../packages/fed/src/engine/series/labels.ts";
import { startTsdb } from "../packages/fed/src/engine/tsdb/remote.ts";
import { makeReport } from "./running.ts";

const seriesCount = Number(process.env.FED_BENCH_SERIES ?? 100_000);
const intervalMs = Number(process.env.FED_BENCH_INTERVAL_S ?? 60) * 1000;
const hours = Number(process.env.FED_BENCH_HOURS ?? 5);
const hourMs = 3_600_000;
/** As one machine sends. */
const batchRows = 1_000;

function statusMb(what: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"));
  return Number(found?.[1] ?? 0) / 1024;
}

/** Half never change, a quarter count, a quarter go up and down: as node_exporter's do, about. */
function valueAt(nth: number, step: number): number {
  const noise = (Math.imul(nth * 31 + step, 0x9e3779b1) >>> 8) / 2 ** 24;
  if (nth % 4 < 2) return nth;
  return nth % 4 === 2 ? Math.floor((step + noise) * (1 + (nth % 97))) : Math.round(noise * 4000) / 100;
}

/** Texts that series share are there once. */
function makeLabels(): Labels[] {
  const texts = new Map<string, string>();
  const text = (made: string) => {
    const known = texts.get(made) ?? made;
    texts.set(made, known);
    return known;
  };
  return Array.from({ length: seriesCount }, (_, nth) => [
    "__name__",
    text(`node_metric_${nth % 500}_total`),
    "device",
    text(`device${Math.floor((nth % batchRows) / 500)}`),
    "instance",
    text(`machine${Math.floor(nth / batchRows)}:9100`),
    "job",
    "node",
    "mode",
    text(`mode${nth % 8}`),
  ]);
}

async function fill(): Promise<void> {
  const all = makeLabels();
  const folder = mkdtempSync(join(tmpdir(), "fed-memory-"));
  const store = await startTsdb(folder, { durability: "relaxed" });
  const endMs = Math.floor(Date.now() / hourMs) * hourMs;
  const steps = Math.floor((hours * hourMs) / intervalMs);
  const seen: number[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      const timeMs = endMs - (steps - step) * intervalMs;
      for (let from = 0; from < seriesCount; from += batchRows) {
        const labels = all.slice(from, from + batchRows);
        const times = new Float64Array(labels.length).fill(timeMs);
        await store.append({ labels, times, values: Float64Array.from(labels, (_, i) => valueAt(from + i, step)) });
      }
      seen.push(statusMb("VmRSS"));
    }
    const { activeSeries, blocks } = await store.stats();
    if (blocks.length === 0) throw new Error("nothing was sealed: more hours");
    // Since the first block was made.
    const steady = seen.slice(-Math.ceil(seen.length / 4)).sort((a, b) => a - b);
    process.stdout.write(
      `${JSON.stringify({ activeSeries, steadyMb: steady[steady.length >> 1], peakMb: statusMb("VmHWM") })}\n`,
    );
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Figures {
  readonly activeSeries: number;
  readonly steadyMb: number;
  readonly peakMb: number;
}

/** As the launcher starts a hub: with Node's cache of compiled sources and a small young generation. */
async function measure(): Promise<Figures> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, "../.cache/compile") };
  const child = spawn(process.execPath, ["--max-semi-space-size=2", import.meta.filename, "fill"], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  let said = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) said += chunk;
  return JSON.parse(said) as Figures;
}

if (process.argv[2] === "fill") await fill();
else {
  const report = makeReport();
  const { activeSeries, steadyMb, peakMb } = await measure();
  report.limit(`${activeSeries.toLocaleString("en")} active series, resident`, steadyMb, 300, "MB");
  report.limit("the same, at most", peakMb, 350, "MB");
  report.end();
}
