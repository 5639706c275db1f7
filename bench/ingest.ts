/**
 * What it costs to take samples in, end to end: text that is read, parsed and kept, and packed requests of remote write. The same
 * texts at the same pace and the same requests for fed (posted to it), Prometheus (which scrapes the texts) and VictoriaMetrics;
 * samples for each second of the processor that the whole process takes beyond what it takes at rest. Exits 1 when a limit is broken. Some 75 s. `--alone`:
 * without the others.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { compress } from "snappyjs";
import { writeWriteRequest } from "../packages/fed/src/engine/exposition/remote-write.ts";
import { labelsOf } from "../packages/fed/src/engine/series/labels.ts";
import { findPrometheus } from "../test/promql/real-prometheus.ts";
import { nodeSeries } from "./node-series.ts";
import { startProcess } from "./query-peer.ts";
import { once, startHub } from "./running.ts";

const targets = 10;
/** As a machine's node_exporter has. */
const seriesOfOne = 1_000;
const everyMs = 200;
/** A hub runs for months: what it does often has been compiled. */
const warmUpMs = 7_000;
const measuredMs = 8_000;
const rounds = 60;
const requestSeries = 2_000;
/** What a process still does of the last samples. */
const settleMs = 1_500;

const print = (text: string) => process.stdout.write(`${text}\n`);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

interface Place {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly token?: string;
  readonly textPath: string;
  /** The share of a processor that it takes with nothing to do. */
  readonly rest: number;
}

const machines = Array.from({ length: targets }, (_, i) =>
  nodeSeries(everyMs / 1_000, rounds, seriesOfOne, i + 1).map(({ labels, values }) => ({
    labels: { ...labels, instance: `node${i}:9100` } as Readonly<Record<string, string>>,
    values,
  })),
);

/** Text by machine and round, with what scrapes say of metrics. */
const texts = machines.map((series) =>
  Array.from({ length: rounds }, (_, round) => {
    let [text, before] = ["", ""];
    for (const { labels, values } of series) {
      const { __name__: name = "", ...others } = labels;
      const type = name.endsWith("_total") ? "counter" : "gauge";
      if (name !== before) text += `# HELP ${name} What a machine says of itself.\n# TYPE ${name} ${type}\n`;
      before = name;
      const inner = Object.entries(others).map(([key, value]) => `${key}="${value}"`);
      text += `${name}{${inner.join(",")}} ${values[round]}\n`;
    }
    return text;
  }),
);

/** Requests by round. A round is 15 s. */
const startMs = Date.now() - rounds * 15_000;
const sent = machines
  .flat()
  .map(({ labels, values }) => ({ labels: labelsOf({ ...labels, __name__: `sent_${labels.__name__}` }), values }));
const requests = Array.from({ length: rounds }, (_, round) => {
  const times = Float64Array.of(startMs + round * 15_000);
  const all = sent.map(({ labels, values }) => ({ labels, times, values: values.slice(round, round + 1) }));
  return Array.from({ length: Math.ceil(all.length / requestSeries) }, (_, i) =>
    Buffer.from(compress(writeWriteRequest(all.slice(i * requestSeries, (i + 1) * requestSeries)))),
  );
});

const ticksPerS = 100;
const restMs = 3_000;

/** The share of a processor that it takes with nothing to do. */
async function restOf({ pid }: { readonly pid: number }): Promise<number> {
  const before = cpuS(pid);
  await pause(restMs);
  return (cpuS(pid) - before) / (restMs / 1_000);
}

/** Counts the processor's time from now on, without what rest takes. */
function watch({ pid, rest }: { readonly pid: number; readonly rest: number }): () => number {
  const [before, beganMs] = [cpuS(pid), performance.now()];
  return () => cpuS(pid) - before - (rest * (performance.now() - beganMs)) / 1_000;
}

/** Seconds of the processor that a process has taken, with all of its threads. */
function cpuS(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerS;
}

function post(place: Place, path: string, body: Buffer, headers: Record<string, string>): Promise<void> {
  const all = { ...headers, ...(place.token ? { authorization: `Bearer ${place.token}` } : {}) };
  return new Promise((resolve, reject) => {
    const asked = request(place.url + path, { method: "POST", headers: all, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => {
        if (response.statusCode === 204) resolve();
        else
          reject(new Error(`${place.name}: ${response.statusCode} ${Buffer.concat(chunks).toString().slice(0, 300)}`));
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

/** Posts all texts again and again at the pace, and measures once it runs well. */
async function measurePosted(place: Place): Promise<number> {
  const round = async (nth: number) => {
    const bodies = texts.map((one) => Buffer.from(one[nth % rounds] as string));
    await Promise.all(bodies.map((body) => post(place, place.textPath, body, { "content-type": "text/plain" })));
  };
  const beganMs = performance.now();
  let [nth, from] = [0, 0];
  let spent: (() => number) | undefined;
  for (; performance.now() - beganMs < warmUpMs + measuredMs; nth++) {
    if (spent === undefined && performance.now() - beganMs > warmUpMs) [from, spent] = [nth, watch(place)];
    await round(nth);
    await pause(Math.max(0, beganMs + (nth + 1) * everyMs - performance.now()));
  }
  return ((nth - from) * targets * seriesOfOne) / (spent?.() ?? 0);
}

async function measureScraped(prometheus: { readonly path: string; readonly version: string }) {
  let scrapes = 0;
  const nth = new Map<string, number>();
  const server = createServer(({ url = "" }, response) => {
    const at = nth.get(url) ?? 0;
    nth.set(url, at + 1);
    scrapes++;
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(texts[Number(url.slice(1))]?.[at % rounds]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const jobs = Array.from(
    { length: targets },
    (_, i) =>
      `- {job_name: j${i}, metrics_path: /${i}, honor_labels: true, static_configs: [{targets: ["127.0.0.1:${port}"]}]}`,
  );
  const config = `global: {scrape_interval: ${everyMs}ms, scrape_timeout: ${everyMs}ms}\nscrape_configs:\n${jobs.join("\n")}\n`;
  const place = await startPrometheus(prometheus, config);
  try {
    await pause(warmUpMs);
    const [from, spent] = [scrapes, watch(place)];
    await pause(measuredMs);
    return ((scrapes - from) * seriesOfOne) / spent();
  } finally {
    await place.stop();
    server.closeAllConnections();
    server.close();
  }
}

async function startPrometheus({ path, version }: { readonly path: string; readonly version: string }, config: string) {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-prom-"));
  writeFileSync(join(folder, "prometheus.yml"), config);
  const words = (port: number) => [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.enable-remote-write-receiver",
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const { url, pid, stop } = await startProcess(path, words, "/-/ready");
  const stopAll = once(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { name: `Prometheus ${version}`, url, pid, textPath: "", rest: 0, stop: stopAll };
}

async function startVictoria() {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-vm-"));
  const words = (port: number) => [
    `-storageDataPath=${folder}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    "-retentionPeriod=10y",
  ];
  const { url, pid, stop } = await startProcess("victoria-metrics", words, "/health");
  const stopAll = once(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    name: "VictoriaMetrics",
    url,
    pid,
    textPath: "/api/v1/import/prometheus",
    rest: await restOf({ pid }),
    stop: stopAll,
  };
}

/** Sends all requests, those of a round side by side. The first rounds only make the series known. */
async function measureSent(place: Place): Promise<number> {
  const headers = {
    ...{ "content-type": "application/x-protobuf", "content-encoding": "snappy" },
    "x-prometheus-remote-write-version": "0.1.0",
  };
  const warm = 10;
  let spent = watch(place);
  for (const [nth, bodies] of requests.entries()) {
    if (nth === warm) spent = watch(place);
    await Promise.all(bodies.map((body) => post(place, "/api/v1/write", body, headers)));
  }
  await pause(settleMs);
  return ((rounds - warm) * targets * seriesOfOne) / spent();
}

let broken = false;

function judge(what: string, figure: number, peer: string, peerFigure: number, atLeast?: number) {
  const ratio = figure / peerFigure;
  broken ||= atLeast !== undefined && ratio < atLeast;
  const words = atLeast === undefined ? "" : ` (at least ${atLeast})  ${ratio >= atLeast ? "pass" : "FAIL"}`;
  const k = (perS: number) => `${Math.round(perS / 1e3)} k`;
  print(
    `${what.padEnd(14)} ${k(figure).padStart(7)}  ${peer.padEnd(17)} ${k(peerFigure).padStart(7)}  ${ratio.toFixed(2)}×${words}`,
  );
}

print(`samples for each CPU second: ${targets} machines × ${seriesOfOne} series`);
const alone = process.argv.includes("--alone");
const folder = mkdtempSync(join(tmpdir(), "fed-bench-store-"));
const hub = await startHub({ metrics: folder });
await pause(1_500);
const fed = { name: "fed", ...hub, textPath: "/api/v1/import/text", rest: await restOf(hub) };
print(`the hub at rest: ${(fed.rest * 100).toFixed(1)} % of a processor`);
const prometheus = alone ? undefined : findPrometheus();
// At the same time: whatever else the machine does hits both.
const [fedText, scraped] = await Promise.all([measurePosted(fed), prometheus && measureScraped(prometheus)]);
const fedSent = await measureSent(fed);
await hub.stop();
rmSync(folder, { recursive: true, force: true });
if (prometheus && scraped) {
  judge("text", fedText, `Prometheus ${prometheus.version}`, scraped, 0.7);
  const place = await startPrometheus(prometheus, "global: {}\n");
  judge("remote write", fedSent, place.name, await measureSent(place), 0.5);
  await place.stop();
} else print(`text ${Math.round(fedText)}, remote write ${Math.round(fedSent)}: nobody to compare with`);
const victoria = alone ? undefined : await startVictoria().catch(() => undefined);
if (victoria) {
  judge("text", fedText, victoria.name, await measurePosted(victoria));
  judge("remote write", fedSent, victoria.name, await measureSent(victoria));
  await victoria.stop();
}
agent.destroy();
process.exitCode = broken ? 1 : 0;
