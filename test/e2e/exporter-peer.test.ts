import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { openExporterDoor } from "../../packages/fed/src/adapter/exporter/index.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { tempFolder } from "../../packages/fed/src/disk/fixture.ts";
import { openExporters } from "../../packages/fed/src/hub/exporter/verbs.ts";
import { openMetrics } from "../../packages/fed/src/hub/metric/verbs.ts";
import { freePort, openPrometheus, prometheus } from "./metric-peer.ts";

/** A real Prometheus and the hub's scraper ask the same little server: afterwards both have the same series and values. */

interface Page {
  readonly body: string;
  /** The text format when left out. */
  readonly type?: string;
  readonly status?: number;
  readonly packed?: boolean;
  readonly location?: string;
}

const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const many = (count: number) => Array.from({ length: count }, (_, nth) => `m{nth="${nth}"} ${nth}\n`).join("");
const nowMs = Date.now();

/** By job: what is told first, and what it becomes. */
const cases: Readonly<Record<string, readonly [first: Page, then: Page]>> = {
  plain: [{ body: "# HELP a Words.\n# TYPE a counter\na 1\nb 2.5e-7\n" }, { body: "b 3\nc -0\n" }],
  values: [{ body: "a NaN\nb +Inf\nc -Inf\nd 1e308\ne 0x10\n" }, { body: "a NaN\nb +Inf\nc -Inf\nd 5e-324\n" }],
  labels: [
    { body: 'a{b="c",machine="node6",job="x",instance="y"} 1\na{machine="z",exported_machine="w"} 2\na{b=""} 3\n' },
    { body: 'a{exported_job="q",job="r",exported_exported_job="s"} 1\n' },
  ],
  escapes: [
    { body: 'a{b="\\\\ \\" \\n \\t ü 🦊 <script>alert(1)</script>"} 1\n' },
    { body: 'a{b=" spaced "  , c="d" , }   2   \n' },
  ],
  quoted: [{ body: '{"a.b","c.d"="e"} 1\n{"f", g="h"} 2\n' }, { body: '{"ü"} 1\n' }],
  spelled: [{ body: 'a{x="1",y="2"} 1\n' }, { body: 'a{y="2",x="1"} 2\n' }],
  histogram: [
    { body: 'h_bucket{le="0.1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\ns{quantile="0.5"} 1\n' },
    { body: 'h_bucket{le="1"} 1\nh_count 3\n' },
  ],
  open: [
    { body: '# TYPE a counter\na_total 1 # {id="x"} 0.5\na_created 5\n# EOF\n', type: openMetricsType },
    { body: "# TYPE a counter\na_total 2\n# EOF\n", type: openMetricsType },
  ],
  cut: [
    { body: "a 1\n# EOF\n", type: openMetricsType },
    { body: "a 1\n", type: openMetricsType },
  ],
  behind: [
    { body: "a 1\n# EOF\n", type: openMetricsType },
    { body: "a 1\n# EOF\nb 2\n", type: openMetricsType },
  ],
  packed: [
    { body: many(500), packed: true },
    { body: many(400), packed: true },
  ],
  empty: [{ body: "a 1\n" }, { body: "" }],
  page: [{ body: "a 1\n" }, { body: "<html></html>", type: "text/html" }],
  broken: [{ body: "a 1\nb 2\n" }, { body: "a 1\nb two\nc 3\n" }],
  unclosed: [{ body: 'a{b="c} 1\n' }, { body: "a 1\n" }],
  nameless: [{ body: '{a="b"} 1\n' }, { body: "a 1\n" }],
  status: [{ body: "a 1\n" }, { body: "a 1\n", status: 500 }],
  moved: [{ body: "a 1\n" }, { body: "", status: 302, location: "/plain" }],
  twice: [{ body: "a 1\na 1\n" }, { body: "a 1\nb 1\nb 2\n" }],
  timed: [{ body: `a 1 ${nowMs}\nb 1\n` }, { body: "b 1\n" }],
  far: [{ body: `a 1 5000\nb 2 ${nowMs + 86_400_000}\nc 3\n` }, { body: "c 1\n" }],
  full: [{ body: many(10_000) }, { body: many(9_999) }],
  over: [{ body: many(20) }, { body: many(10_001) }],
  bomb: [{ body: "a 1\n" }, { body: `a 1\n${"#".repeat(17 * 2 ** 20)}\n`, packed: true }],
  binary: [{ body: "a 1\n" }, { body: "\u0001\u0002\n" }],
};

async function serveCases() {
  let phase: 0 | 1 = 0;
  const server = createServer(({ url = "" }, response) => {
    const page = cases[url.slice(1)]?.[phase];
    if (page === undefined) return response.writeHead(404).end();
    const { body, type = "text/plain; version=0.0.4; charset=utf-8", status = 200, packed, location } = page;
    response.writeHead(status, {
      ...{ "content-type": type },
      ...(packed ? { "content-encoding": "gzip" } : {}),
      ...(location ? { location } : {}),
    });
    return response.end(packed ? gzipSync(body) : body);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, turn: () => (phase = 1) };
}

type Held = Readonly<Record<string, string>>;

/** By labels; how long a scrape took is chance. */
function heldOf(result: readonly { readonly metric: object; readonly value: readonly [number, string] }[]): Held {
  const lines = result.map(({ metric, value }) => {
    const { __name__: name = "", ...rest } = metric as Readonly<Record<string, string>>;
    return [`${name} ${JSON.stringify(Object.entries(rest).sort())}`, value[1]] as const;
  });
  return Object.fromEntries(lines.filter(([line]) => !line.startsWith("scrape_duration_seconds")).sort());
}

const query = '{job!="", machine="node5"}';

/** The hub's scraper on a store of its own. */
async function openHere(exporters: Readonly<Record<string, { readonly url: string; readonly every: "1s" }>>) {
  const metrics = openMetrics({ folder: tempFolder(), clock: systemClock });
  onTestFinished(() => metrics.close());
  const door = openExporterDoor({ clock: systemClock, version: "0.1.0" });
  const scraping = openExporters({
    ...{ door, clock: systemClock, trace: silentTrace },
    readSecret: async () => "",
    append: (batch, machine) => metrics.append(batch, machine),
    ...{ note: metrics.note, report: metrics.targets.report, forget: metrics.targets.forget },
    ...{ problem: () => {}, isThere: () => true },
  });
  onTestFinished(() => door.close());
  onTestFinished(() => scraping.close());
  const document = { kind: "server", address: "127.0.0.1", exporters } as const;
  await scraping.update({ node5: document });
  return {
    targets: metrics.targets,
    async held(): Promise<Held> {
      const now = Date.now();
      const range = { startMs: now, endMs: now, stepMs: 0 };
      const signal = AbortSignal.timeout(30_000);
      const pieces: Uint8Array[] = [];
      const asked = { kind: "query", text: query, range, timeoutMs: 30_000, limit: 0 } as const;
      for await (const piece of await metrics.ask(asked, signal)) pieces.push(piece);
      return heldOf(JSON.parse(Buffer.concat(pieces).toString()).data.result);
    },
  };
}

const job = (name: string, port: number, path: string) => `
- job_name: ${name}
  metrics_path: ${path}
  static_configs: [{ targets: ["127.0.0.1:${port}"], labels: { machine: node5 } }]
  sample_limit: 10000
  body_size_limit: 16MiB
  follow_redirects: false
  fallback_scrape_protocol: PrometheusText0.0.4`;

const settingsOf = (jobs: readonly string[]) => `
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:${jobs.join("")}
`;

async function ask(url: string): Promise<Held> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  return heldOf(((await answer.json()) as { data: { result: [] } }).data.result);
}

/** Each side until it does not change any more. */
async function settled(look: () => Promise<Held>, held: (one: Held) => boolean): Promise<Held> {
  const endMs = performance.now() + 40_000;
  for (let before = ""; ; await pause(1_500)) {
    const now = await look();
    const text = JSON.stringify(comparable(now));
    if (held(now) && text === before) return now;
    if (performance.now() > endMs) return now;
    before = text;
  }
}

/** Everything of targets that are down. */
function downIn(held: Held): readonly (readonly [string, string])[] {
  const labels = (line: string) => line.slice(line.indexOf(" "));
  const isDown = (line: string) => /"job","(\w+)"/.test(line) && held[`up${jobOnly(labels(line))}`] === "0";
  return Object.entries(held).filter(([line]) => isDown(line));
}

const jobOnly = (labels: string) =>
  ` ${JSON.stringify((JSON.parse(labels) as [string, string][]).filter(([name]) => ["instance", "job", "machine"].includes(name)))}`;

/**
 * What must be the same. How many series the last scrape added depends on when it is asked. Of a target that is down Prometheus leaves
 * those series to end by themselves that it had read before it found the mistake; here all of them end at once.
 */
function comparable(held: Held): Held {
  const down = new Set(downIn(held).flatMap(([line]) => (/^(up|scrape_\w+) /.test(line) ? [] : [line])));
  const rest = Object.entries(held).filter(([line]) => !line.startsWith("scrape_series_added") && !down.has(line));
  return Object.fromEntries(rest);
}

const jobsWithUp = (held: Held) => Object.keys(held).filter((line) => line.startsWith("up ")).length;
const isNew = prometheus !== undefined && Number(prometheus.version.split(".")[0]) >= 3;

test.skipIf(!isNew && process.env.CI === undefined)(
  "the hub takes what a real Prometheus takes of the same exporters, hostile ones too (needs prometheus 3)",
  { timeout: 120_000 },
  async () => {
    const { port, turn } = await serveCases();
    const names = Object.keys(cases);
    const peer = await openPrometheus({
      settings: () => settingsOf(names.map((name) => job(name, port, `/${name}`))),
    });
    const exporter = (name: string) => [name, { url: `http://127.0.0.1:${port}/${name}`, every: "1s" }];
    const here = await openHere(Object.fromEntries(names.map(exporter)));
    const whole = (held: Held) => jobsWithUp(held) === names.length;
    const compare = async () => {
      const [theirs, ours] = await Promise.all([settled(() => ask(peer.url), whole), settled(here.held, whole)]);
      expect(comparable(ours)).toEqual(comparable(theirs));
      return ours;
    };
    await compare();
    turn();
    await pause(2_500);
    const after = await compare();
    for (const [line] of downIn(after)) expect(line).toMatch(/^(up|scrape_\w+) /);
  },
);

const nodeExporter = "prometheus-node-exporter";
const hasNodeExporter = process.env.CI !== undefined || spawnSync("which", [nodeExporter]).status === 0;

test.skipIf(!hasNodeExporter || (!isNew && process.env.CI === undefined))(
  "the hub knows every series of a real node_exporter that a real Prometheus knows (needs prometheus-node-exporter)",
  { timeout: 60_000 },
  async () => {
    const port = await freePort();
    const words = [`--web.listen-address=127.0.0.1:${port}`, `--collector.textfile.directory=${tmpdir()}`];
    const child: ChildProcess = spawn(nodeExporter, words, { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("close", resolve));
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await ended;
    });
    const peer = await openPrometheus({ settings: () => settingsOf([job("node", port, "/metrics")]) });
    const here = await openHere({ node: { url: `http://127.0.0.1:${port}/metrics`, every: "1s" } });
    const series = (held: Held) =>
      // Their values, and of some the labels, change from one scrape to the next.
      Object.keys(held).filter(
        (line) =>
          !/^(go_|process_|promhttp_|node_(network|disk|scrape|arp|nf_conntrack))/.test(line) &&
          // What other tests mount comes and goes.
          !/"mountpoint","\/[^"]/.test(line),
      );
    const whole = (held: Held) => series(held).length > 100;
    const look = async (ask: () => Promise<Held>) => {
      const held: { found: Held } = { found: {} };
      await settled(
        async () => {
          held.found = await ask();
          return { whole: String(whole(held.found)) };
        },
        ({ whole }) => whole === "true",
      );
      return held.found;
    };
    const [theirs, ours] = await Promise.all([look(() => ask(peer.url)), look(here.held)]);
    expect(series(theirs).length).toBeGreaterThan(100);
    expect(series(ours)).toEqual(series(theirs));
    expect(
      Object.keys(ours).some(
        (line) => line.includes('["exported_machine","x86_64"]') || line.includes("exported_machine"),
      ),
    ).toBe(true);
    expect([...here.targets.all()]).toMatchObject([{ job: "node", machine: "node5", error: "" }]);
  },
);
