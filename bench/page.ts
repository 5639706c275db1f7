/**
 * What a person waits for who opens the dashboard: how much JavaScript comes, when the largest part of the page stands,
 * and how long an event and an edit of the lab take to be seen. In real Chromium, with an empty cache; beside netdata's
 * dashboard (Debian package) in the same run. Prints figure, limit or peer and ratio; exits 1 when a limit is broken.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { type Browser, chromium, type Page } from "playwright-core";
import { startNetdata } from "./netdata.ts";
import { makeReport, type RunningHub, signIn, startHub } from "./running.ts";

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Runs in the page. */
const measureLoad = `(async () => {
  const paintMs = await new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1)?.startTime ?? 0)).observe({
      type: "largest-contentful-paint",
      buffered: true,
    });
    setTimeout(() => resolve(-1), 2000);
  });
  const scripts = performance.getEntriesByType("resource").filter(
    ({ name, initiatorType }) => initiatorType === "script" || /\\.m?js(\\?|$)/.test(name),
  );
  return { paintMs, scripts: [...new Set(scripts.map(({ name }) => name))] };
})()`;

/** Runs in the page: when the text stands in it, as milliseconds since the epoch. */
const waitForText = `(text) =>
  new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!document.body.textContent.includes(text)) return;
      observer.disconnect();
      resolve(performance.timeOrigin + performance.now());
    });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  })`;

/** Size of an answer as it travels, packed by gzip where the server does so. Browsers would choose brotli, which is smaller. */
function gzipBytes(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": "gzip" } }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.once("end", () => resolve(bytes));
    }).once("error", reject);
  });
}

interface Load {
  /** Everything asked for within 1.5 s, by gzip. */
  readonly scriptKb: number;
  readonly paintMs: number;
}

/** Loads an address in a context of its own, with nothing cached. */
async function load(browser: Browser, url: string, state?: Awaited<ReturnType<typeof signIn>>): Promise<Load> {
  const context = await browser.newContext(state ? { storageState: state } : {});
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load" });
  await page.waitForTimeout(1_500);
  const { paintMs, scripts } = await page.evaluate<{ readonly paintMs: number; readonly scripts: readonly string[] }>(
    measureLoad,
  );
  await context.close();
  const bytes = await Promise.all(scripts.map(gzipBytes));
  return { scriptKb: bytes.reduce((sum, one) => sum + one, 0) / 1e3, paintMs };
}

/** From asking for something that is an event until its line stands on the page. */
async function eventMs(page: Page, hub: RunningHub, name: string): Promise<number> {
  const seen = page.evaluate<number>(`(${waitForText})(${JSON.stringify(name)})`);
  await page.evaluate("new Promise(requestAnimationFrame)");
  const startMs = performance.timeOrigin + performance.now();
  const headers = { authorization: `Bearer ${hub.token}`, "content-type": "application/json" };
  const body = JSON.stringify({ name, role: "viewer" });
  await fetch(`${hub.url}/api/v1/tokens`, { method: "POST", headers, body });
  return (await seen) - startMs;
}

/** From the moment lab.ts is written until the service that was added stands on the page. */
async function editMs(page: Page, hub: RunningHub, name: string): Promise<number> {
  const edited = readFileSync(hub.lab, "utf8").replace(/services: \{\n.*/, (services) => {
    const [head = "", after = ""] = services.split("\n");
    return `${head}\n    ${name}: { run: process("sleep 1000") },\n${after}`;
  });
  const seen = page.evaluate<number>(`(${waitForText})(${JSON.stringify(name)})`);
  await page.evaluate("new Promise(requestAnimationFrame)");
  const startMs = performance.timeOrigin + performance.now();
  writeFileSync(hub.lab, edited);
  return (await seen) - startMs;
}

const [metricSeries, samplesEach, scrapeMs] = [1_000, 240, 15_000];

/** An hour of samples, given to the hub in pieces that it takes. */
async function keepMetrics(hub: RunningHub): Promise<void> {
  const endMs = Math.floor(Date.now() / scrapeMs) * scrapeMs;
  const headers = { authorization: `Bearer ${hub.token}`, "content-type": "text/plain" };
  for (let from = 0; from < samplesEach; from += 20) {
    let body = "";
    for (let at = from; at < from + 20; at++) {
      const timeMs = endMs - (samplesEach - 1 - at) * scrapeMs;
      for (let n = 0; n < metricSeries; n++) body += `bench_requests_total{path="/${n}"} ${at * (n + 1)} ${timeMs}\n`;
    }
    const answer = await fetch(`${hub.url}/api/v1/import/text`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`the hub takes no samples: ${await answer.text()}`);
  }
}

/** From opening a link to a chart of them all until it is drawn, with nothing cached. */
async function chartMs(browser: Browser, hub: RunningHub, state: Awaited<ReturnType<typeof signIn>>): Promise<number> {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  const query = encodeURIComponent(JSON.stringify(["rate(bench_requests_total[5m])"]));
  const startMs = performance.now();
  await page.goto(`${hub.url}/graph?q=${query}`);
  await page.getByText("100 of 1,000 series drawn").waitFor();
  await page.evaluate("new Promise(requestAnimationFrame)");
  const tookMs = performance.now() - startMs;
  await context.close();
  return tookMs;
}

const report = makeReport();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const hub = await startHub();
try {
  const state = await signIn(browser, hub);
  const loads: Load[] = [];
  for (let round = 0; round < 5; round++) loads.push(await load(browser, hub.url, state));
  const scriptKb = median(loads.map((one) => one.scriptKb));
  report.limit("first load, JavaScript, gzipped", scriptKb, 200, "KB");
  report.limit("first load, largest contentful paint", median(loads.map((one) => one.paintMs)), 1_000, "ms");
  const netdata = await startNetdata();
  if (netdata) {
    const peer = await load(browser, netdata.url).finally(() => netdata.stop());
    report.peer("first load, JavaScript, gzipped", scriptKb, "netdata", peer.scriptKb, "KB");
  }
  const metricsKb = (await load(browser, `${hub.url}/graph`, state)).scriptKb - scriptKb;
  report.limit("Metrics page, JavaScript beyond the first load, gzipped", metricsKb, 100, "KB");
  await keepMetrics(hub);
  const charts: number[] = [];
  for (let round = 0; round < 5; round++) charts.push(await chartMs(browser, hub, state));
  report.limit("a link to a chart of 1,000 series × 1 h until it is drawn", median(charts), 3_000, "ms");
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(`${hub.url}/events`);
  await page.getByRole("heading", { name: "Events" }).waitFor();
  await page.waitForTimeout(500);
  const took: number[] = [];
  for (let n = 0; n < 20; n++) took.push(await eventMs(page, hub, `bench-event-${n}x`));
  report.limit("an event asked for until the page shows it", median(took), 100, "ms");
  await page.goto(hub.url);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.waitForTimeout(500);
  const edits: number[] = [];
  for (let n = 0; n < 5; n++) edits.push(await editMs(page, hub, `edit${n}`));
  report.limit("an edit of lab.ts until the page shows it", median(edits), 1_000, "ms");
} finally {
  await browser.close();
  await hub.stop();
}
report.end();
