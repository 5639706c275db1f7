import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";
import { fetchFromTesting } from "../debian-testing.ts";

/** A real Prometheus to compare with: found on this machine, or fetched once from Debian's testing suite. */
export interface Binary {
  readonly path: string;
  /** Such as `3.5.3`. */
  readonly version: string;
}

/** The newest there is: what FED_PROMETHEUS names, the fetched one, the machine's. Undefined without `promtool`, which fills it. */
export function findPrometheus(): Binary | undefined {
  if (spawnSync("promtool", ["--version"]).status !== 0) return undefined;
  const fetched = fetchFromTesting("prometheus", "usr/bin/prometheus");
  for (const path of [process.env.FED_PROMETHEUS, fetched, "prometheus"]) {
    if (path === undefined) continue;
    const { stdout, stderr } = spawnSync(path, ["--version"], { encoding: "utf8" });
    const version = /version (\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

export interface RealPrometheus {
  /** Where its blocks are. */
  readonly folder: string;
  /** The `data` of the answer of the query API, or its `error`. */
  ask(path: "query" | "query_range", params: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  stop(): Promise<void>;
}

export interface ApiAnswer {
  readonly error?: string;
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

/** Starts one on these series. Stop it whatever happens. */
export async function startPrometheus(binary: Binary, series: readonly Series[]): Promise<RealPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), "fed-prometheus-"));
  writeFileSync(join(folder, "in.txt"), openMetrics(series));
  const blocks = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "in.txt", "data"];
  execFileSync("promtool", blocks, { cwd: folder, stdio: "ignore" });
  writeFileSync(join(folder, "prometheus.yml"), "global: {}\n");
  const port = await freePort();
  const words = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--storage.tsdb.retention.time=50y",
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(binary.path, words, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const base = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = () =>
    fetch(`${base}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let tries = 0; !(await isReady()); tries++) {
    if (tries > 300 || child.exitCode !== null) {
      await stop();
      throw new Error("Prometheus does not start");
    }
    await pause(100);
  }
  return {
    folder: join(folder, "data"),
    stop,
    async ask(path, params) {
      const answer = await fetch(`${base}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(params) });
      return (await answer.json()) as ApiAnswer;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** In the text format from which promtool makes blocks: metrics together, samples by time. */
function openMetrics(series: readonly Series[]): string {
  const byName = [...series].sort((a, b) => (a.labels.join() < b.labels.join() ? -1 : 1));
  const parts = byName.map(({ labels, times, values }) => {
    const inner: string[] = [];
    let name = "";
    for (let i = 0; i < labels.length; i += 2) {
      if (labels[i] === "__name__") name = labels[i + 1] as string;
      else inner.push(`${labels[i]}=${JSON.stringify(labels[i + 1])}`);
    }
    const head = `${name}{${inner.join(",")}}`;
    return Array.from(times, (time, i) => `${head} ${print(values[i] as number)} ${(time / 1000).toFixed(3)}\n`).join(
      "",
    );
  });
  return `${parts.join("")}# EOF\n`;
}

function print(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return String(value).replace("Infinity", "Inf");
}
