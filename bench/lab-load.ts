/**
 * How long a lab takes to load: the starter, a good lab (at most 150 ms); `fed check` of the largest example (300 ms);
 * 1,000 services × 20 machines × 100 secrets, load and check (1 s). With Node's compile cache, as `./fed` keeps it, and
 * a bare Node beside it as the measure of this machine. Medians. Takes about 15 s. `node bench/lab-load.ts`.
 */

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../packages/fed/src/base/clock.ts";

const rounds = 11;
const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

/** The median of some rounds, in milliseconds, after one that warms the cache. */
async function measure(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await work();
    if (round > 0) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[rounds >> 1] ?? 0;
}

function writeLargeLab(): string {
  const each = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join("");
  return `import { defineLab, http, process, server } from "@fed/lab";

export default defineLab({
  name: "large",
  machines: {
${each(20, (i) => `    m${i}: server({ address: "${i === 0 ? "local" : `10.0.0.${i}`}" }),\n`)}  },
  environments: {
    dev: { machines: ["m0"] },
    prod: { machines: [${each(20, (i) => `"m${i}", `)}], promoteFrom: "dev" },
  },
  secrets: {
${each(100, (i) => `    SECRET_${i}: {},\n`)}  },
  services: {
${each(
  1_000,
  (i) => `    s${i}: {
      run: process("node s${i}.mjs"),
      health: http("/health"),
      route: { dev: "s${i}.localhost", prod: "s${i}.example.org" },
      env: { LEVEL: { dev: "debug", default: "info" }, KEY: { secret: "SECRET_${i % 100}" } },
      on: { prod: "m${i % 20}" },${i === 0 ? "" : `\n      needs: ["s${i - 1}"],`}
    },\n`,
)}  },
});
`;
}

const folder = await mkdtemp(join(tmpdir(), "fed-bench-"));
try {
  enableCompileCache(join(folder, "cache"));
  const { loadLab } = await import("../packages/fed/src/hub/lab/load.ts");
  const load = async (path: string) => {
    const lab = await loadLab(path, { clock: systemClock });
    if (lab.kind === "rejected") throw new Error(lab.diagnostics[0]?.message);
  };
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") };
  const check = [join(root, "packages/fed/src/cli/main.ts"), "check", join(root, "examples/home")];
  const large = join(folder, "lab.ts");
  await writeFile(large, writeLargeLab());
  const figures: readonly (readonly [string, number, number?])[] = [
    ["a bare node", await measure(() => run(process.execPath, ["-e", "0"]))],
    ["load of examples/starter", await measure(() => load(join(root, "examples/starter"))), 150],
    ["fed check examples/home", await measure(() => run(process.execPath, check, { env })), 300],
    ["load of 1,000 services", await measure(() => load(large)), 1_000],
  ];
  for (const [name, ms, limitMs] of figures) {
    const verdict = limitMs === undefined ? "" : `  ${ms <= limitMs ? "good" : "TOO SLOW"}: at most ${limitMs} ms`;
    process.stdout.write(`${name.padEnd(28)}${ms.toFixed(0).padStart(6)} ms${verdict}\n`);
    if (limitMs !== undefined && ms > limitMs) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
