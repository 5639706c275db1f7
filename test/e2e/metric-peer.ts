import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { findPrometheus } from "../promql/real-prometheus.ts";

/** A real Prometheus or VictoriaMetrics on a port of its own, that can be stopped and started; none outlives its test. */
export interface MetricPeer {
  readonly url: string;
  /** As a person stops it: what it has is written down first. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Samples by series (its labels as sorted text, without those that are named) and time in milliseconds. */
export type Held = ReadonlyMap<string, ReadonlyMap<number, number>>;

export const prometheus = findPrometheus();
export const victoria = [process.env.FED_VICTORIA_METRICS ?? "", "victoria-metrics"].find(
  (name) => spawnSync("which", [name]).status === 0,
);

export interface PrometheusOptions {
  /** Of its configuration, in YAML. */
  readonly settings?: (port: number) => string;
}

export function openPrometheus({ settings = () => "global: {}\n" }: PrometheusOptions = {}): Promise<MetricPeer> {
  if (prometheus === undefined) throw new Error("there is no prometheus here");
  return openPeer(prometheus.path, "/-/ready", (folder, port) => {
    writeFileSync(join(folder, "prometheus.yml"), settings(port));
    return [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-remote-write-receiver",
    ];
  });
}

export function openVictoria(): Promise<MetricPeer> {
  if (victoria === undefined) throw new Error("there is no victoria-metrics here");
  return openPeer(victoria, "/health", (folder, port) => [
    `-storageDataPath=${folder}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    "-retentionPeriod=1y",
  ]);
}

async function openPeer(
  path: string,
  ready: string,
  wordsOf: (folder: string, port: number) => readonly string[],
): Promise<MetricPeer> {
  const folder = mkdtempSync(join(tmpdir(), "fed-peer-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const words = wordsOf(folder, port);
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("close", resolve));
    running.kill(signal);
    await ended;
  };
  onTestFinished(async () => {
    await end("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const start = async () => {
    const running = spawn(path, words, { stdio: ["ignore", "ignore", "pipe"] });
    child = running;
    let told = "";
    running.stderr.setEncoding("utf8").on("data", (text: string) => {
      told = (told + text).slice(-2_000);
    });
    const isReady = () =>
      fetch(url + ready).then(
        ({ ok }) => ok,
        () => false,
      );
    for (let tries = 0; !(await isReady()); tries++) {
      if (tries > 300 || running.exitCode !== null) throw new Error(`${path} does not start: ${told}`);
      await pause(50);
    }
  };
  await start();
  return { url, start, stop: () => end("SIGTERM") };
}

/** One that is free now; the system gives it to nobody else for a while. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

interface Matrix {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** What a Prometheus (or fed) holds of a selector, in the seconds until `atMs`. */
export async function readPrometheus(
  url: string,
  selector: string,
  seconds: number,
  atMs: number,
  token?: string,
): Promise<Held> {
  const query = new URLSearchParams({ query: `${selector}[${seconds}s]`, time: String(atMs / 1_000) });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/v1/query?${query}`, { headers });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`);
  const { data } = (await answer.json()) as Matrix;
  return new Map(
    data.result.map(({ metric, values }) => [
      keyOf(metric),
      new Map(values.map(([time, value]) => [Math.round(time * 1_000), readValue(value)])),
    ]),
  );
}

/** The same of a VictoriaMetrics, from its own files. */
export async function readVictoria(url: string, selector: string, seconds: number, atMs: number): Promise<Held> {
  const start = atMs - seconds * 1_000 + 1;
  const query = new URLSearchParams({ "match[]": selector, start: String(start / 1_000), end: String(atMs / 1_000) });
  const answer = await fetch(`${url}/api/v1/export?${query}`);
  const held = new Map<string, Map<number, number>>();
  for (const line of (await answer.text()).split("\n")) {
    if (line === "") continue;
    const { metric, timestamps, values } = JSON.parse(line) as {
      readonly metric: Readonly<Record<string, string>>;
      readonly timestamps: readonly number[];
      readonly values: readonly (number | string | null)[];
    };
    const own = held.get(keyOf(metric)) ?? new Map<number, number>();
    for (const [at, time] of timestamps.entries()) {
      // What is no number has no value here.
      if (values[at] !== null && values[at] !== undefined) own.set(time, readValue(values[at]));
    }
    if (own.size > 0) held.set(keyOf(metric), own);
  }
  return held;
}

const keyOf = (metric: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(metric).sort());

function readValue(value: number | string): number {
  return Number(String(value).replace(/Inf(inity)?$/, "Infinity"));
}

/** Without what is no number: a VictoriaMetrics keeps nothing of that. */
export function numbersOf(held: Held): Held {
  return new Map(
    Array.from(
      held,
      ([key, samples]) => [key, new Map([...samples].filter(([, value]) => !Number.isNaN(value)))] as const,
    ).filter(([, samples]) => samples.size > 0),
  );
}

/** Where the second differs from the first: series, times and values beyond a part in a thousand millions. */
export function differences(wanted: Held, given: Held): readonly string[] {
  const found: string[] = [];
  for (const [key, samples] of wanted) {
    const other = given.get(key);
    if (other === undefined) found.push(`${key} is not there`);
    else if (other.size !== samples.size) found.push(`${key} has ${other.size} samples, not ${samples.size}`);
    for (const [time, value] of other === undefined ? [] : samples) {
      const there = other?.get(time);
      if (there === undefined) found.push(`${key} has nothing at ${time}`);
      else if (!isClose(value, there)) found.push(`${key} has ${there} at ${time}, not ${value}`);
    }
  }
  for (const key of given.keys()) if (!wanted.has(key)) found.push(`${key} is too much`);
  return found;
}

function isClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
}
