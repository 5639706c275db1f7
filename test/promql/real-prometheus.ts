import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Series } from "../../packages/fed/src/engine/series/series.ts";

/** A real Prometheus to compare with: found on this machine, or fetched once from Debian's testing suite. */
export interface Binary {
  readonly path: string;
  /** Such as `3.5.3`. */
  readonly version: string;
}

const cache = join(import.meta.dirname, "../../node_modules/.cache/fed-testing-prometheus");
const cached = join(cache, "usr/bin/prometheus");

/** The newest there is: what FED_PROMETHEUS names, the fetched one, the machine's. Undefined without `promtool`, which fills it. */
export function findPrometheus(): Binary | undefined {
  if (spawnSync("promtool", ["--version"]).status !== 0) return undefined;
  if (!existsSync(cached)) fetchFromTesting();
  for (const path of [process.env.FED_PROMETHEUS, cached, "prometheus"]) {
    if (path === undefined) continue;
    const { stdout, stderr } = spawnSync(path, ["--version"], { encoding: "utf8" });
    const version = /version (\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/**
 * By apt with folders of its own, from the mirror that this machine uses; nothing is installed. Quietly nothing offline. Several test
 * files may do it at once: each in a folder of its own, and the first that has it whole puts it in place.
 */
function fetchFromTesting(): void {
  const site = spawnSync("apt-get", ["indextargets", "--format", "$(SITE)", "Created-By: Packages"], {
    encoding: "utf8",
  });
  const mirror = site.stdout?.split("\n").find((line) => line.endsWith("/debian"));
  if (mirror === undefined) return;
  mkdirSync(dirname(cache), { recursive: true });
  const folder = mkdtempSync(`${cache}-`);
  try {
    if (download(mirror, folder) && !existsSync(cached)) renameSync(join(folder, "whole"), cache);
  } catch (error) {
    if (!existsSync(cached)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Unpacks it into `whole` of a folder; whether that went well. */
function download(mirror: string, folder: string): boolean {
  mkdirSync(join(folder, "lists/partial"), { recursive: true });
  mkdirSync(join(folder, "archives/partial"), { recursive: true });
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(folder, "sources.list"), `deb [signed-by=${keys}] ${mirror} testing main\n`);
  writeFileSync(join(folder, "status"), "");
  const settings = [
    `Dir::Etc::sourcelist=${join(folder, "sources.list")}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::State::status=${join(folder, "status")}`,
    `Dir::Cache=${folder}`,
    "Acquire::Languages=none",
    "Acquire::Retries=3",
  ].flatMap((setting) => ["-o", setting]);
  const options = { cwd: folder, stdio: "ignore", timeout: 90_000 } as const;
  for (const words of [["update"], ["download", "prometheus"]]) {
    if (spawnSync("apt-get", [...settings, ...words], options).status !== 0) return false;
  }
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  return file !== undefined && spawnSync("dpkg-deb", ["-x", file, "whole"], options).status === 0;
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
