/**
 * What a hub costs while nobody does anything, how quickly it answers, and what it costs to be watched. Memory beside
 * netdata's (Debian package, its own defaults) in the same run. Prints figure, limit or peer and ratio; exits 1 when a
 * limit is broken.
 */
import { Agent, get, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { startNetdata } from "./netdata.ts";
import { makeReport, type RunningHub, residentMb, startHub } from "./running.ts";

const settleMs = 10_000;
const perSecond = 200;
const seconds = 10;
const watchers = 100;

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const headersOf = (hub: RunningHub) => ({ authorization: `Bearer ${hub.token}` });

function ask(hub: RunningHub, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${hub.url}/api/v1/machines`, { headers: headersOf(hub), agent }, (response) => {
      response.resume();
      response.once("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      );
    }).once("error", reject);
  });
}

/** Milliseconds of each request, counted from when it was due: one that waits behind another waits. */
async function latencies(hub: RunningHub): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const startMs = performance.now();
  const running: Promise<number>[] = [];
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const dueMs = startMs + (sent * 1_000) / perSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await pause(earlyMs);
    const fromMs = performance.now();
    running.push(ask(hub, agent).then(() => performance.now() - fromMs));
  }
  const took = await Promise.all(running);
  agent.destroy();
  return took;
}

/** Something that is an event: a token made. */
function makeEvent(hub: RunningHub, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { ...headersOf(hub), "content-type": "application/json" };
    const sent = request(`${hub.url}/api/v1/tokens`, { method: "POST", headers }, (response) => {
      response.resume();
      response.once("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`)),
      );
    });
    sent.once("error", reject);
    sent.end(JSON.stringify({ name, role: "viewer" }));
  });
}

const series = 500;
const samplesEach = 40;

/** Samples of ten minutes, as a machine's exporter has them. */
async function fillMetrics(hub: RunningHub): Promise<void> {
  const nowMs = Date.now();
  for (let back = samplesEach; back > 0; back--) {
    const lines: string[] = [];
    for (let n = 0; n < series; n++) {
      const labels = `instance="node${n % 5}",mode="${n % 10}",device="disk${n}"`;
      lines.push(`bench_seconds_total{${labels}} ${(n + 1) * (samplesEach - back)} ${nowMs - back * 15_000}`);
    }
    const init = { method: "POST", headers: { ...headersOf(hub), "content-type": "text/plain" } };
    const answer = await fetch(`${hub.url}/api/v1/import/text`, { ...init, body: `${lines.join("\n")}\n` });
    if (answer.status !== 204) throw new Error(`status ${answer.status}: ${await answer.text()}`);
  }
}

interface Watcher {
  /** Events that came. */
  count(): number;
  close(): void;
}

function watch(hub: RunningHub): Promise<Watcher> {
  return new Promise((resolve, reject) => {
    let count = 0;
    const sent = get(`${hub.url}/api/v1/events/stream`, { headers: headersOf(hub), agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (text: string) => {
        count += text.split("token.created").length - 1;
      });
      response.on("error", () => {});
      resolve({ count: () => count, close: () => sent.destroy() });
    });
    sent.once("error", reject);
  });
}

async function watched(hub: RunningHub): Promise<{ readonly mb: number; readonly deliveryMs: number }> {
  const beforeMb = residentMb(hub.pid);
  const all: Watcher[] = [];
  for (let n = 0; n < watchers; n++) all.push(await watch(hub));
  const took: number[] = [];
  for (let n = 1; n <= 20; n++) {
    const startMs = performance.now();
    await makeEvent(hub, `bench ${n}`);
    while (all.some((one) => one.count() < n)) await pause(1);
    took.push(performance.now() - startMs);
  }
  await pause(2_000);
  const mb = residentMb(hub.pid) - beforeMb;
  for (const one of all) one.close();
  return { mb, deliveryMs: percentile(took, 0.5) };
}

/** What netdata keeps in memory when it has run for a while. */
async function netdataMb(): Promise<number | undefined> {
  const netdata = await startNetdata();
  if (!netdata) return undefined;
  await pause(settleMs);
  const mb = residentMb(netdata.pid);
  await netdata.stop();
  return mb;
}

const report = makeReport();
// The first start after a change compiles what changed and keeps the memory of that; every later one is like this.
const before = await startHub();
await pause(settleMs);
await before.stop();
const hub = await startHub();
try {
  await pause(settleMs);
  const idleMb = residentMb(hub.pid);
  // 110 MB without the store of metrics, which holds the hub's own from the first minute.
  report.limit("hub, idle, with its own metrics, resident", idleMb, 140, "MB");
  const peerMb = await netdataMb();
  if (peerMb === undefined)
    process.stdout.write("netdata is not installed (Debian: apt-get install netdata): no peer\n");
  else report.peer("hub, idle, resident", idleMb, "netdata", peerMb, "MB");
  await fillMetrics(hub);
  await pause(settleMs);
  report.limit(`hub, idle, with ${series} more series, resident`, residentMb(hub.pid), 140, "MB");
  await latencies(hub); // warm
  const took = await latencies(hub);
  report.limit(`GET /api/v1/machines at ${perSecond}/s, p99`, percentile(took, 0.99), 5, "ms");
  const { mb, deliveryMs } = await watched(hub);
  report.limit(`${watchers} readers of the event stream, resident`, mb, 20, "MB");
  report.limit(`an event asked for until all ${watchers} have it`, deliveryMs, 100, "ms");
} finally {
  await hub.stop();
}
report.end();
