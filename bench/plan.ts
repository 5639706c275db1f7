/**
 * How long a person waits for `fed plan`, and for a `fed apply` with nothing to do, over 200 services on 10 machines: from the command to
 * its exit, warm. All of it is real: ten engines of Docker (the ten machines are addresses of this one, reached by SSH alone), each
 * with twenty containers that sleep. Medians; prints figure, limit, ratio; exits 1 when a limit is broken.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, loadavg, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Engine, startEngine } from "../packages/fed/src/port/engine.scene.ts";
import { openSshd, type Sshd } from "../test/e2e/sshd-server.ts";
import { startHub } from "./running.ts";

const machines = 10;
const services = 200;
const rounds = 21;
const limitMs = 300;
/** Of the processors, at rest, when it begins. */
const calmShare = 0.6;
const fed = join(import.meta.dirname, "..", "fed");
const image = "localhost/fed-sleep:1";
const addressOf = (at: number) => `127.0.7.${at + 1}`;

function labText(sshd: Sshd, engines: readonly Engine[]): string {
  const login = `port: ${sshd.port}, user: "${userInfo().username}", key: "${sshd.key}"`;
  const names = engines.map((_, at) => `"m${at}"`);
  const machineLines = engines.map(
    ({ socket }, at) =>
      `m${at}: server({ address: "${addressOf(at)}", ${login}, engine: docker({ socket: "${socket}" }) }),`,
  );
  const serviceLines = Array.from(
    { length: services },
    (_, at) =>
      `s${at}: { run: image("${image}"), on: "m${at % machines}", env: { NUMBER: "${at}" }, stopGrace: "0s" },`,
  );
  return `import { defineLab, docker, image, server } from "@fed/lab";
export default defineLab({
  name: "many",
  machines: { hub: server({ address: "local" }), ${machineLines.join("\n")} },
  environments: { prod: { machines: [${names}] } },
  services: { ${serviceLines.join("\n")} },
});
`;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Processor time of a process, in ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Ticks of all processors: idle, and together. */
function ticks(): { readonly idle: number; readonly all: number } {
  const line = readFileSync("/proc/stat", "utf8").split("\n", 1)[0] ?? "";
  const fields = line.split(/ +/).slice(1).map(Number);
  return { idle: (fields[3] ?? 0) + (fields[4] ?? 0), all: fields.reduce((sum, one) => sum + one, 0) };
}

/** Two hundred starts leave ten engines at work for a while; that is not what is measured. Seconds it took. */
async function untilCalm(): Promise<number> {
  for (let seconds = 3; ; seconds += 3) {
    const before = ticks();
    await pause(3_000);
    const now = ticks();
    if ((now.idle - before.idle) / (now.all - before.all) >= calmShare) return seconds;
    if (seconds >= 120) throw new Error(`this machine does not come to rest: ${loadavg()[0]?.toFixed(1)} is its load`);
  }
}

function timed(data: string, ...words: readonly string[]): number {
  const beganMs = performance.now();
  const { status, stdout, stderr } = spawnSync(fed, [...words, "--data", data], { encoding: "utf8" });
  const tookMs = performance.now() - beganMs;
  if (status !== 0) throw new Error(`fed ${words.join(" ")} ended with ${status}: ${stdout}${stderr}`);
  return tookMs;
}

let broken = false;
function report(name: string, figureMs: number) {
  const good = figureMs <= limitMs;
  broken ||= !good;
  const numbers = `${figureMs.toFixed(0)} ms  limit ${limitMs} ms  ${(figureMs / limitMs).toFixed(2)}×`;
  process.stdout.write(`${name.padEnd(46)} ${numbers}  ${good ? "pass" : "FAIL"}\n`);
}

const engines: Engine[] = [];
const { sshd, end } = await openSshd({ addresses: Array.from({ length: machines }, (_, at) => addressOf(at)) });
try {
  for (let at = 0; at < machines; at++) {
    const engine = await startEngine("docker");
    engines.push(engine);
    engine.run("tag", engine.image(["sleep", "2147483"]), image);
  }
  const hub = await startHub({ lab: labText(sshd, engines) });
  try {
    const data = join(dirname(hub.lab), "data");
    const running = () => engines.reduce((sum, { run }) => sum + run("ps", "-q").split("\n").filter(Boolean).length, 0);
    if (running() !== services) throw new Error(`${running()} of ${services} containers run`);
    const calmedS = await untilCalm();
    const took = { least: [] as number[], plan: [] as number[], apply: [] as number[] };
    process.stdout.write(`${services} containers run\n`);
    const before = cpuMs(hub.pid);
    for (let round = 0; round < rounds; round++) {
      took.least.push(timed(data, "releases", "s0"));
      took.plan.push(timed(data, "plan"));
      took.apply.push(timed(data, "apply"));
    }
    const spentMs = (cpuMs(hub.pid) - before) / rounds;
    report(`fed plan, ${services} services on ${machines} machines, warm`, median(took.plan));
    report("fed apply with nothing to do, the same", median(took.apply));
    const beside = `fed releases of one service: ${median(took.least).toFixed(0)} ms; all three cost the hub ${spentMs.toFixed(0)} ms of a processor`;
    process.stdout.write(
      `(${beside}; begun ${calmedS} s after the last start, when ${calmShare * 100} % of ${availableParallelism()} cores idled)\n`,
    );
  } finally {
    await hub.stop();
  }
} finally {
  await Promise.all(engines.map((engine) => engine.close()));
  end();
}
process.exitCode = broken ? 1 : 0;
