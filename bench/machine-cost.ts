/**
 * What it costs a machine to be looked at every 10 s: our program over a real sshd, prometheus-node-exporter scraped, and netdata, side by
 * side. CPU is counted by cgroups, to the nanosecond and with every process that lived for a moment, so this needs root.
 *
 * Sections that are due less than once a minute are measured by themselves and told as their share of a look; what they do only when
 * something has changed (a list of updates) counts three times a day. netdata looks every second, as its package has it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { makeLinuxCollector, openSshShell } from "../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { silentTrace } from "../packages/fed/src/base/trace.ts";
import type { CommandStream } from "../packages/fed/src/port/shell.ts";
import { openSshd } from "../test/e2e/sshd-server.ts";
import { startNetdata } from "./netdata.ts";
import { end, makeReport, once } from "./running.ts";

const looks = 12;
const intervalMs = 10_000;
const rareMs = 60_000;
const mark = "machine0cost0bench";
const going = new AbortController().signal;
const undo: (() => unknown)[] = [];

/** CPU time of some processes and of all that they start, from now on. */
interface Meter {
  add(pids: readonly number[]): void;
  /** Milliseconds since the last call. */
  spentMs(): number;
}

function openMeter(name: string): Meter {
  const old = existsSync("/sys/fs/cgroup/cpuacct/cpuacct.usage");
  const folder = `/sys/fs/cgroup/${old ? "cpuacct/" : ""}fed-bench-${name}-${process.pid}`;
  mkdirSync(folder);
  undo.push(async () => {
    // Its processes are ended by now; the kernel needs a moment to see it.
    for (let tries = 0; readFileSync(`${folder}/cgroup.procs`, "utf8") !== "" && tries < 100; tries++) await pause(50);
    rmdirSync(folder);
  });
  const read = () =>
    old
      ? Number(readFileSync(`${folder}/cpuacct.usage`, "utf8")) / 1e6
      : Number(/usage_usec (\d+)/.exec(readFileSync(`${folder}/cpu.stat`, "utf8"))?.[1]) / 1e3;
  let last = 0;
  return {
    add(pids) {
      for (const pid of pids) {
        try {
          writeFileSync(`${folder}/cgroup.procs`, String(pid));
        } catch {
          // It has ended.
        }
      }
    },
    spentMs() {
      const before = last;
      last = read();
      return last - before;
    },
  };
}

function familyOf(pid: number): readonly number[] {
  const children = readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readOrNothing(`/proc/${name}/stat`) : "";
    return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === pid ? [Number(name)] : [];
  });
  return [pid, ...children.flatMap(familyOf)];
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

interface Memory {
  readonly residentMb: number;
  /** What is shared is counted in parts. */
  readonly shareMb: number;
}

function memoryOf(pids: readonly number[]): Memory {
  const sum = (word: string) =>
    pids
      .map((pid) =>
        Number(new RegExp(`^${word}: +(\\d+) kB`, "m").exec(readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1]),
      )
      .reduce((all, kib) => all + (Number.isNaN(kib) ? 0 : kib * 1024), 0) / 1e6;
  return { residentMb: sum("Rss"), shareMb: sum("Pss") };
}

/** Asks the program for ticks, one at a time. */
async function openProgram(stream: CommandStream) {
  const collector = makeLinuxCollector();
  const reader = collector.openTicks(mark);
  const read = collector.openReading();
  let sequence = 0;
  let samples = 0;
  let arrived: (() => void) | undefined;
  stream.io.on("data", (bytes: Buffer) => {
    for (const tick of reader.push(bytes)) {
      samples = 0;
      read(tick, () => samples++);
      arrived?.();
    }
  });
  stream.io.write(collector.program(mark));
  return {
    sections: collector.sections,
    samples: () => samples,
    async ask(names: readonly string[]): Promise<void> {
      const answer = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      stream.io.write(collector.ask(++sequence, names));
      await answer;
    },
  };
}

async function openOurs() {
  const { sshd, end } = await openSshd();
  undo.push(end);
  const shell = openSshShell("bench", {
    ...{ clock: systemClock, trace: silentTrace },
    login: async () => sshd.login("bench"),
    checkHostKey: () => ({ kind: "trusted" }),
  });
  undo.push(() => shell.close());
  const stream = await shell.stream({ argv: ["sh"] }, going);
  const program = await openProgram(stream);
  // The processes of the session; the sshd that listens is there without us.
  const session = sshd.processes();
  const isOf = (pid: number, name: RegExp) => name.test(readOrNothing(`/proc/${pid}/comm`));
  const doors = session.filter((pid) => isOf(pid, /^sshd/));
  return { program, doors, shells: session.filter((pid) => !doors.includes(pid)) };
}

async function openNodeExporter() {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
  const child: ChildProcess = spawn("prometheus-node-exporter", [`--web.listen-address=127.0.0.1:${port}`], {
    stdio: "ignore",
    detached: true,
  });
  undo.push(once(() => end(child, "SIGTERM")));
  const url = `http://127.0.0.1:${port}/metrics`;
  const headers = { accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5" };
  const scrape = async () => (await fetch(url, { headers })).text();
  for (let tries = 0; ; tries++) {
    if (await scrape().catch(() => undefined)) break;
    if (tries > 100) throw new Error("prometheus-node-exporter does not answer");
    await pause(100);
  }
  return { pid: child.pid ?? 0, scrape };
}

const figure = (ms: number) => `${ms.toFixed(2)} ms`;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What the sections that are due less than once a minute cost, as a part of each look. */
async function measureRare(program: Awaited<ReturnType<typeof openProgram>>, meter: Meter): Promise<number> {
  let shareMs = 0;
  for (const { name, everyMs } of program.sections) {
    if (everyMs <= rareMs) continue;
    meter.spentMs();
    await program.ask([name]);
    const firstMs = meter.spentMs();
    for (let i = 0; i < 3; i++) await program.ask([name]);
    const againMs = meter.spentMs() / 3;
    const partMs = (againMs * intervalMs) / everyMs + (firstMs * 3 * intervalMs) / 86_400_000;
    say(
      `  ${name}: ${figure(firstMs)}, then every ${everyMs / 60_000} min ${figure(againMs)}; of each look ${figure(partMs)}`,
    );
    shareMs += partMs;
  }
  return shareMs;
}

async function run(): Promise<void> {
  if (process.getuid?.() !== 0 || spawnSync("prometheus-node-exporter", ["--version"]).status !== 0) {
    say("needs root, sshd and prometheus-node-exporter");
    return;
  }
  const [ours, exporter, netdata] = [await openOurs(), await openNodeExporter(), await startNetdata()];
  if (netdata !== undefined) undo.push(() => netdata.stop());
  const meters = {
    program: openMeter("program"),
    session: openMeter("session"),
    exporter: openMeter("exporter"),
    netdata: openMeter("netdata"),
  };
  meters.program.add(ours.shells);
  meters.session.add(ours.doors);
  meters.exporter.add([exporter.pid]);
  if (netdata !== undefined) meters.netdata.add(familyOf(netdata.pid));
  const { program } = ours;
  say("sections that are due seldom:");
  const rareShareMs = await measureRare(program, meters.program);
  const often = program.sections.filter(({ everyMs }) => everyMs <= rareMs);
  const dueAt = (look: number) =>
    often.filter(({ everyMs }) => (look * intervalMs) % Math.max(everyMs, intervalMs) === 0).map(({ name }) => name);
  for (let look = 0; look < 3; look++) await program.ask(often.map(({ name }) => name));
  await exporter.scrape();
  for (const meter of Object.values(meters)) meter.spentMs();
  const beganMs = performance.now();
  let samples = 0;
  for (let look = 1; look <= looks; look++) {
    await Promise.all([program.ask(dueAt(look)), exporter.scrape()]);
    samples += program.samples() / looks;
    await pause(Math.max(0, beganMs + look * intervalMs - performance.now()));
  }
  const tookMs = performance.now() - beganMs;
  const eachMs = {
    program: meters.program.spentMs() / looks + rareShareMs,
    session: meters.session.spentMs() / looks,
    exporter: meters.exporter.spentMs() / looks,
    netdata: (meters.netdata.spentMs() / tookMs) * intervalMs,
  };
  const memory = {
    program: memoryOf(ours.shells),
    session: memoryOf(ours.doors),
    exporter: memoryOf([exporter.pid]),
    netdata: memoryOf(netdata === undefined ? [] : familyOf(netdata.pid)),
  };
  say(`${samples.toFixed(0)} samples a look, rare sections left out`);
  const report = makeReport();
  const peer = "node_exporter";
  report.atMost("CPU of a look", eachMs.program, peer, eachMs.exporter, 1, "ms");
  report.peer("the same with sshd's session", eachMs.program + eachMs.session, peer, eachMs.exporter, "ms");
  if (netdata !== undefined) report.peer("CPU in 10 s", eachMs.program, "netdata", eachMs.netdata, "ms");
  report.atMost(
    "memory between looks, resident",
    memory.program.residentMb,
    peer,
    memory.exporter.residentMb,
    0.5,
    "MB",
  );
  const together = memory.program.shareMb + memory.session.shareMb;
  report.peer("the same with sshd's session, proportional", together, peer, memory.exporter.shareMb, "MB");
  if (netdata !== undefined) {
    report.peer("memory, resident", memory.program.residentMb, "netdata", memory.netdata.residentMb, "MB");
  }
  report.end();
}

try {
  await run();
} finally {
  // Cgroups were made last and can go when their processes are gone: these first, in the order in which they were begun.
  for (const step of undo) await step();
}
