/**
 * How fast samples are sent on: 300,000 that wait in the log, to a target in a thread of its own that takes everything, beside the
 * hub and 20 ms away; and what that costs the thread of the hub.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { makeMeter } from "../packages/fed/src/base/meter.ts";
import { silentTrace } from "../packages/fed/src/base/trace.ts";
import { labelsOf } from "../packages/fed/src/engine/series/labels.ts";
import { startTsdb } from "../packages/fed/src/engine/tsdb/remote.ts";
import { openForwarding } from "../packages/fed/src/hub/metric/forward-verbs.ts";
import { nodeSeries } from "./node-series.ts";

const scrapes = 600;
const seriesCount = 500;
const stepMs = 5_000;
const samples = scrapes * seriesCount;

const target = `
  const { createServer } = require("node:http");
  const { parentPort, workerData } = require("node:worker_threads");
  const answer = (request, response) =>
    request.resume().on("end", () => setTimeout(() => response.writeHead(204).end(), workerData));
  createServer(answer).listen(0, "127.0.0.1", function () { parentPort.postMessage(this.address().port); });`;

async function measure(delayMs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-remote-write-"));
  const worker = new Worker(target, { eval: true, workerData: delayMs });
  const listening = new Promise<number>((resolve) => worker.once("message", resolve));
  const store = await startTsdb(folder);
  const forwarding = openForwarding({
    ...{ clock: systemClock, trace: silentTrace, meter: makeMeter(), version: "bench", firstMs: 0 },
    ...{ outbox: async () => store.outbox, readSecret: async () => "", turned: () => undefined },
  });
  try {
    const port = await listening;
    await store.outbox.follow(["far"]);
    await fill(store);
    const url = `http://127.0.0.1:${port}/api/v1/write`;
    // The first request of a process loads what all need.
    await (await fetch(url, { method: "POST", body: new Uint8Array(20_000) })).text();
    const [beganMs, cpu] = [performance.now(), process.threadCpuUsage()];
    forwarding.update({ remoteWrite: { far: { url } } });
    while (((await forwarding.list())[0]?.sentSamples ?? 0) < samples) await pause(20);
    const tookS = (performance.now() - beganMs) / 1_000;
    const { user, system } = process.threadCpuUsage(cpu);
    const each = (user + system) / samples;
    process.stdout.write(
      `${String(delayMs).padStart(3)} ms away: ${Math.round(samples / tookS).toLocaleString("en")} samples/s, ` +
        `${each.toFixed(2)} µs of the hub's thread each\n`,
    );
  } finally {
    await forwarding.close();
    await store.close();
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(store: Awaited<ReturnType<typeof startTsdb>>): Promise<void> {
  const series = nodeSeries(stepMs / 1_000, scrapes, seriesCount);
  const labels = series.map((one) => labelsOf(one.labels));
  const startMs = Date.now() - scrapes * stepMs;
  for (let i = 0; i < scrapes; i++) {
    const times = new Float64Array(labels.length).fill(startMs + i * stepMs);
    await store.append({ labels, times, values: Float64Array.from(series, ({ values }) => values[i] as number) });
  }
}

for (const delayMs of [0, 20]) await measure(delayMs);
