/**
 * What a fleet of 200 machines costs the hub, each asked every 10 s by SSH: its processor time and its memory; and how long it takes
 * from a value that changes on a machine until a page in real Chromium shows it, while that machine is watched (every second).
 * The machines are simulated by another process, which answers with what a small server with Debian 12 has said; all of the hub is real.
 * Prints figure, limit and ratio; exits 1 when a limit is broken.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once as onceOf } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import ssh2 from "ssh2";
import { makeLinuxCollector } from "../packages/fed/src/adapter/linux/index.ts";
import type { Recorded, Said, Told } from "./fleet-machines.ts";
import { end, makeReport, once, type RunningHub, residentMb, signIn, startHub } from "./running.ts";

const machines = Number(process.env.FED_BENCH_MACHINES ?? 200);
const settleMs = Number(process.env.FED_BENCH_SETTLE_S ?? 30) * 1_000;
const seconds = Number(process.env.FED_BENCH_SECONDS ?? 60);
const changes = Number(process.env.FED_BENCH_CHANGES ?? 40);

const fixtures = join(import.meta.dirname, "../packages/fed/src/adapter/linux/fixture");
const readFixture = (name: string) => readFileSync(join(fixtures, `${name}.txt`), "utf8");
/** Of a small server; this machine may run anything just now. */
const mostProcesses = 150;

/** Sections of a tick as the program prints them, by their words. */
function sectionsIn(tick: string, mark: string): Recorded {
  const recorded: Record<string, { text: string; code: string }> = {};
  let from = tick.indexOf("\n", 1) + 1;
  for (const found of tick.matchAll(new RegExp(`\n${mark} section (\\S+) (\\d+)\n`, "g"))) {
    recorded[found[1] ?? ""] = { text: tick.slice(from, found.index), code: found[2] ?? "" };
    from = found.index + found[0].length;
  }
  return recorded;
}

/** What this machine's own shell says of its processes. */
async function recordProcesses(): Promise<string> {
  const collector = makeLinuxCollector();
  const mark = "b".repeat(24);
  const shell = spawn("sh", [], { stdio: ["pipe", "pipe", "ignore"] });
  shell.stdin.write(collector.program(mark) + collector.ask(1, ["process"]));
  shell.stdin.end();
  let said = "";
  for await (const text of shell.stdout.setEncoding("utf8")) said += text;
  let processes = 0;
  const lines = sectionsIn(said, mark).process?.text.split("\n") ?? [];
  return lines.filter((line) => !line.startsWith("p ") || processes++ < mostProcesses).join("\n");
}

/** A small server with Debian 12: recorded once, but for its processes. */
async function record(): Promise<Recorded> {
  const mark = "fixture0fixture0";
  const said = readFixture("debian-12");
  const withoutSource = (name: string) => ({ text: readFixture(name).replace(/^#.*\n/, ""), code: "0" });
  const nothing = { text: "", code: "0" };
  return {
    ...{ container: nothing, gpu: nothing, pool: nothing, smart: nothing },
    ...sectionsIn(said.slice(said.indexOf(`\n${mark} tick 2 `)), mark),
    ...{ unit: withoutSource("unit-debian-12"), update: withoutSource("update-apt") },
    process: { text: await recordProcesses(), code: "0" },
  };
}

interface Machines {
  readonly port: number;
  readonly keyPath: string;
  setLoad(machine: string, load: string): void;
  readonly child: ChildProcess;
}

async function startMachines(folder: string): Promise<Machines> {
  const [key, host] = [ssh2.utils.generateKeyPairSync("ed25519"), ssh2.utils.generateKeyPairSync("ed25519")];
  const keyPath = join(folder, "key");
  writeFileSync(keyPath, key.private, { mode: 0o600 });
  const child = fork(join(import.meta.dirname, "fleet-machines.ts"));
  once(() => end(child, "SIGKILL"));
  const tell = (told: Told) => child.send(told);
  tell({ kind: "start", recorded: await record(), publicKey: key.public, hostKey: host.private });
  const [{ port }] = (await onceOf(child, "message")) as [Said];
  return { port, keyPath, child, setLoad: (machine, load) => void tell({ kind: "load", machine, load }) };
}

const nameOf = (nth: number) => `node${nth}`;

function labOf({ port, keyPath }: Machines): string {
  const lines = Array.from({ length: machines }, (_, nth) => {
    const address = `127.1.${Math.floor(nth / 250)}.${(nth % 250) + 1}`;
    return `    ${nameOf(nth)}: server({ address: "${address}", port: ${port}, user: "${nameOf(nth)}", key: "${keyPath}" }),`;
  });
  return `import { defineLab, server } from "@fed/lab";
export default defineLab({
  name: "bench",
  machines: {
${lines.join("\n")}
  },
  environments: { dev: { machines: ["node0"] } },
  services: {},
});
`;
}

interface State {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

async function statesOf(hub: RunningHub): Promise<readonly State[]> {
  const answer = await fetch(`${hub.url}/api/v1/machines`, { headers: { authorization: `Bearer ${hub.token}` } });
  return ((await answer.json()) as { readonly machines: readonly State[] }).machines;
}

async function untilAllAnswer(hub: RunningHub): Promise<void> {
  const startMs = performance.now();
  for (;;) {
    const states = await statesOf(hub);
    const silent = states.filter(({ state }) => state !== "online" && state !== "degraded");
    if (states.length === machines && silent.length === 0) break;
    if (performance.now() - startMs > 120_000) {
      throw new Error(`${silent.length} machines do not answer, such as ${JSON.stringify(silent[0])}`);
    }
    await pause(250);
  }
  process.stdout.write(`all answer after ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`);
}

/** Processor seconds of all of its threads so far. */
function cpuSeconds(pid: number): number {
  const words = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(words[11]) + Number(words[12])) / 100;
}

/** Samples that all machines told at their last tick. */
async function samplesKept(hub: RunningHub): Promise<number> {
  const query = encodeURIComponent('sum(scrape_samples_scraped{job="fed",machine!=""})');
  const headers = { authorization: `Bearer ${hub.token}` };
  const answer = await fetch(`${hub.url}/api/v1/query?query=${query}`, { headers });
  const { data } = (await answer.json()) as {
    readonly data: { readonly result: readonly { value: [number, string] }[] };
  };
  return Number(data.result[0]?.value[1] ?? 0);
}

/** Runs in the page: when the text stands in it, as milliseconds since the epoch. */
const waitForText = `(text) =>
  new Promise((resolve) => {
    const look = () => document.body.textContent.includes(text);
    const observer = new MutationObserver(() => {
      if (!look()) return;
      observer.disconnect();
      resolve(performance.timeOrigin + performance.now());
    });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  })`;

/** From the moment a machine's load changes until its page shows the new one. */
async function changeMs(page: Page, { setLoad }: Machines, machine: string, load: string): Promise<number> {
  const seen = page.evaluate<number>(`(${waitForText})(${JSON.stringify(load)})`);
  await page.evaluate("new Promise(requestAnimationFrame)");
  // At any moment between two ticks.
  await pause(Math.random() * 1_000);
  const startMs = performance.timeOrigin + performance.now();
  setLoad(machine, load);
  return (await seen) - startMs;
}

async function watchChanges(browser: Browser, hub: RunningHub, simulated: Machines): Promise<readonly number[]> {
  const context = await browser.newContext({ storageState: await signIn(browser, hub) });
  const page = await context.newPage();
  const machine = nameOf(1);
  simulated.setLoad(machine, "300");
  await page.goto(`${hub.url}/machines/${machine}`);
  await page.getByText("300", { exact: true }).first().waitFor({ timeout: 30_000 });
  const took: number[] = [];
  for (let nth = 0; nth < changes; nth++) took.push(await changeMs(page, simulated, machine, String(311 + nth)));
  await context.close();
  return took;
}

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const folder = mkdtempSync(join(tmpdir(), "fed-bench-fleet-"));
const clean = once(async () => rmSync(folder, { recursive: true, force: true }));
const simulated = await startMachines(folder);
const hub = await startHub({ lab: labOf(simulated) });
const report = makeReport();
try {
  await untilAllAnswer(hub);
  await pause(settleMs);
  const [beforeCpu, beforeMs] = [cpuSeconds(hub.pid), performance.now()];
  await pause(seconds * 1_000);
  const share = ((cpuSeconds(hub.pid) - beforeCpu) / (performance.now() - beforeMs)) * 100_000;
  // Before anything is asked: a query starts a thread of its own for a while.
  const resident = residentMb(hub.pid);
  const samples = await samplesKept(hub);
  process.stdout.write(`${machines} machines tell ${samples} samples at each interval (${cpus().length} cores here)\n`);
  report.limit(`hub with ${machines} machines at 10 s, processor`, share, 25, "% of a core");
  report.limit("the same, resident, while nobody asks", resident, 250, "MB");
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  once(() => browser.close());
  const took = await watchChanges(browser, hub, simulated);
  report.limit("a value that changes until the page shows it, p95", percentile(took, 0.95), 1_500, "ms");
  process.stdout.write(`its median ${percentile(took, 0.5).toFixed(0)} ms, of ${took.length} changes\n`);
  await browser.close();
} finally {
  await hub.stop();
  await end(simulated.child, "SIGKILL");
  await clean();
}
report.end();
