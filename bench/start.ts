/**
 * How long a person waits: `./fed --version` against a bare node, and `./fed up` warm until both services of the starter
 * are healthy. Interleaved, medians. Prints name, figure, peer or limit, ratio; exits 1 when a limit is broken.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const fed = join(root, "fed");
const rounds = 15;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function timed(command: string, words: readonly string[]): number {
  const startMs = performance.now();
  const { status } = spawnSync(command, words, { stdio: "ignore" });
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return performance.now() - startMs;
}

let broken = false;
function report(name: string, figureMs: number, againstMs: number, against: string, limit: number) {
  const ratio = figureMs / againstMs;
  const good = ratio <= limit;
  broken ||= !good;
  const numbers = `${figureMs.toFixed(0).padStart(6)} ms  ${against} ${againstMs.toFixed(0)} ms  ${ratio.toFixed(2)}×`;
  process.stdout.write(`${name.padEnd(28)} ${numbers}  ${good ? "pass" : "FAIL"} (at most ${limit}×)\n`);
}

async function upMs(folder: string): Promise<number> {
  const data = mkdtempSync(join(tmpdir(), "fed-bench-data-"));
  const startMs = performance.now();
  const child = spawn(fed, ["up", join(folder, "lab.ts"), "--data", data, "--port", "0", "--ingress-port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      said += chunk;
      if (said.includes("ready api=")) return performance.now() - startMs;
    }
    throw new Error(`fed up ended before it was ready: ${said}`);
  } finally {
    child.stdout.resume();
    child.kill("SIGINT");
    await new Promise((resolve) => (child.exitCode === null ? child.once("close", resolve) : resolve(undefined)));
    rmSync(data, { recursive: true, force: true });
  }
}

const bare: number[] = [];
const version: number[] = [];
timed(fed, ["--version"]);
for (let round = 0; round < rounds; round++) {
  bare.push(timed(process.execPath, ["-e", "0"]));
  version.push(timed(fed, ["--version"]));
}
report("fed --version, warm", median(version), median(bare), "node -e 0", 2);
report("fed --version, warm", median(version), 60, "limit", 1);

const folder = mkdtempSync(join(tmpdir(), "fed-bench-lab-"));
try {
  cpSync(join(root, "examples/starter"), folder, { recursive: true });
  const ups: number[] = [];
  for (let round = 0; round < 5; round++) ups.push(await upMs(folder));
  report("fed up to healthy, warm", median(ups), 1500, "limit", 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = broken ? 1 : 0;
