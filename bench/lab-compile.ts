/**
 * How much longer the compiler takes for a lab of 1,000 services × 20 machines × 100 secrets than for an empty one:
 * whole runs of tsc in turn, medians compared. Limit: 3 s more. Takes about 15 s. `node bench/lab-compile.ts`.
 */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const rounds = 5;
const limitMs = 3_000;
const run = promisify(execFile);
const root = fileURLToPath(new URL("../", import.meta.url));

const repeat = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n");

function writeService(i: number): string {
  return `    service${i}: {
      run: { dev: process("npm run dev", { folder: "./service${i}" }), default: build("./service${i}") },
      port: { staging: 8080, prod: 8080 },
      health: http("/health", { every: "1s", timeout: "5s" }),
      route: { dev: "s${i}.localhost", staging: "s${i}.staging.example.org", prod: "s${i}.example.org" },
      env: {
        LOG_LEVEL: { dev: "debug", default: "info" },
        KEY: { secret: "SECRET_${i % 100}" },
        TOKEN: { dev: "none", default: { secret: "SECRET_${(i * 7) % 100}" } },
        ${i === 0 ? "" : `UPSTREAM: { service: "service${i - 1}" },`}
      },
      needs: [${i > 1 ? `"service${i - 2}"` : ""}],
      on: { prod: "machine${(i % 18) + 2}" },
      volumes: { data: { at: "/data" } },
      stopGrace: "30s", cpu: { prod: 2 }, memory: { dev: "512MiB", default: "1GiB" }, owner: "me",
    },`;
}

function writeLab(machines: number, secrets: number, services: number): string {
  return `import { build, defineLab, http, process, server } from "@fed/lab";
void [build, http, process];
export default defineLab({
  name: "bench",
  machines: {
${repeat(machines, (i) => `    machine${i}: server({ address: "10.0.0.${i + 1}" }),`)}
  },
  environments: {
    dev: { machines: ["machine0"] },
    staging: { machines: ["machine${machines > 1 ? 1 : 0}"], promoteFrom: "dev" },
    prod: { machines: [${repeat(Math.max(1, machines - 2), (i) => `"machine${machines > 2 ? i + 2 : 0}",`)}], promoteFrom: "staging" },
  },
  secrets: {
${repeat(secrets, (i) => `    SECRET_${i}: { in: ["dev", "staging", "prod"] },`)}
  },
  services: {
${repeat(services, writeService)}
  },
});
`;
}

async function writeProject(folder: string, lab: string): Promise<void> {
  await mkdir(folder);
  const compilerOptions = { paths: { "@fed/lab": [join(root, "packages/lab/src/index.ts")] }, types: [] };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "lab.ts"), lab);
}

/** Milliseconds of one whole run of the compiler. Fails when it finds a mistake. */
async function compile(folder: string): Promise<number> {
  const began = performance.now();
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const folder = await mkdtemp(join(tmpdir(), "fed-bench-"));
try {
  const small = join(folder, "small");
  const large = join(folder, "large");
  await writeProject(small, writeLab(1, 0, 0));
  await writeProject(large, writeLab(20, 100, 1_000));
  const smallMs: number[] = [];
  const largeMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    smallMs.push(await compile(small));
    largeMs.push(await compile(large));
  }
  const moreMs = median(largeMs) - median(smallMs);
  const ratio = moreMs / limitMs;
  process.stdout.write(
    [
      `empty lab                         ${median(smallMs).toFixed(0)} ms`,
      `1,000 services × 20 × 100         ${median(largeMs).toFixed(0)} ms`,
      `more ${moreMs.toFixed(0)} ms, limit ${limitMs} ms, ratio ${ratio.toFixed(2)}`,
      "",
    ].join("\n"),
  );
  process.exitCode = ratio <= 1 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
