import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { makeLinuxCollector } from "./collector.ts";

/** The same metrics as the real node_exporter tells of the same machine at the same moment. */
const missing = spawnSync("prometheus-node-exporter", ["--version"]).error !== undefined;
const why = missing ? " (left out: prometheus-node-exporter is not installed)" : "";

/** As upstream has them, where Debian's package has others, and without what we leave out. */
const settings = [
  "--collector.netdev.device-exclude=^(veth|cali|tap|vnet).*",
  "--collector.netclass.ignored-devices=^(veth|cali|tap|vnet).*",
  "--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
  "--collector.filesystem.mount-points-exclude=^/(dev|proc|sys|run/(credentials|user|netns|docker|containerd|snapd)|var/lib/(docker|containers/storage|kubelet)/.+)($|/)",
];

/** Told otherwise by node_exporter 1.5, and why we do not follow. */
const otherwise = new Set([
  // The hub says which machine a series is of.
  "node_uname_info",
  // Unknown is told as a negative speed.
  "node_network_speed_bytes",
]);

/** Move while we look; of the rest a twentieth of the value may. */
const slack: Readonly<Record<string, number>> = {
  node_procs_running: 50,
  node_procs_blocked: 50,
  node_disk_io_now: 500,
  node_filefd_allocated: 2000,
  node_sockstat_sockets_used: 2000,
  node_load1: 5,
  node_load5: 2,
  node_load15: 1,
};

type Samples = ReadonlyMap<string, number>;

test.skipIf(missing)(`node_exporter's metrics, with its names, labels and values${why}`, async () => {
  const address = await startExporter();
  const before = await scrape(address);
  const own = tellOwn();
  const after = await scrape(address);

  const both = new Set([...own.keys()].map(nameOf).filter((name) => names(before).has(name) && !otherwise.has(name)));
  expect(both.size).toBeGreaterThan(120);
  const series = (samples: Samples) => [...samples.keys()].filter((key) => both.has(nameOf(key))).sort();
  // What came or went in between is in one of the two.
  const stable = new Set(series(before).filter((key) => after.has(key)));
  expect(series(own).filter((key) => stable.has(key) || !before.has(key) === !after.has(key))).toEqual([...stable]);
  for (const key of stable) {
    const [first = 0, last = 0, value = 0] = [before.get(key), after.get(key), own.get(key)];
    const room =
      0.05 * Math.max(Math.abs(first), Math.abs(last)) +
      (slack[nameOf(key)] ?? (/bytes|blocks|sectors|pg/.test(key) ? 64e6 : 20));
    expect(value, key).toBeGreaterThanOrEqual(Math.min(first, last) - room);
    expect(value, key).toBeLessThanOrEqual(Math.max(first, last) + room);
  }
  const unknown = [...names(before)].filter((name) => name.startsWith("node_") && !names(own).has(name));
  process.stdout.write(`${both.size} metrics as node_exporter; without: ${unknown.join(" ")}\n`);
});

function names(samples: Samples): Set<string> {
  return new Set([...samples.keys()].map(nameOf));
}

function nameOf(key: string): string {
  return key.split("{", 1)[0] ?? "";
}

function keyOf(metric: string, labels: Readonly<Record<string, string>>): string {
  const words = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return words.length === 0 ? metric : `${metric}{${words.sort().join(",")}}`;
}

function tellOwn(): Samples {
  const collector = makeLinuxCollector();
  const mark = "abcdefgh12345678";
  // Those of node_exporter's standard set; other sections have tests of their own.
  const basics = "cpu kernel load memory pressure uptime disk network socket filesystem link facts".split(" ");
  const { stdout } = spawnSync("sh", { input: collector.program(mark) + collector.ask(1, basics) });
  const samples = new Map<string, number>();
  for (const tick of collector.openTicks(mark).push(stdout)) {
    collector.openReading()(tick, (metric, value, labels = {}) => samples.set(keyOf(metric, labels), value));
  }
  return samples;
}

async function startExporter(): Promise<string> {
  const exporter = spawn("prometheus-node-exporter", ["--web.listen-address=127.0.0.1:0", ...settings], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    exporter.kill("SIGKILL");
    await once(exporter, "close");
  });
  const said: string[] = [];
  for await (const line of createInterface(exporter.stderr)) {
    const address = /address=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address !== undefined && !address.endsWith(":0")) {
      exporter.stderr.resume();
      return address;
    }
    said.push(line);
  }
  throw new Error(`node_exporter did not start: ${said.join("\n")}`);
}

async function scrape(address: string): Promise<Samples> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, metric = "", labels = "", value = ""] = /^([a-z_0-9A-Z:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (metric === "") continue;
    const pairs = [...labels.matchAll(/([a-zA-Z_0-9]+)="((?:[^"\\]|\\.)*)"/g)];
    const entries = pairs.map(([, name = "", text = ""]) => [name, text.replace(/\\(["\\])/g, "$1")] as const);
    samples.set(keyOf(metric, Object.fromEntries(entries)), Number(value));
  }
  return samples;
}
