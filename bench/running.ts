import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";

/** A hub of the real program on a copy of the starter, for the scripts here to measure. */
export interface RunningHub {
  readonly url: string;
  /** Proves that we may read its data folder. */
  readonly token: string;
  readonly pid: number;
  /** Its lab.ts, to be edited. */
  readonly lab: string;
  /** Path and code of the link of the first start. */
  readonly link: string;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, "..");

const emptyLab = `import { defineLab, server } from "@fed/lab";
export default defineLab({
  name: "bench",
  machines: { here: server({ address: "local" }) },
  environments: { dev: { machines: ["here"] } },
  services: {},
});
`;

export interface HubOptions {
  /** A folder that is filled already: then the lab has no services. */
  readonly metrics?: string;
  /** The text of a lab in the place of the starter's. */
  readonly lab?: string;
}

export async function startHub({ metrics, lab }: HubOptions = {}): Promise<RunningHub> {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-"));
  const data = join(folder, "data");
  if (metrics === undefined && lab === undefined) cpSync(join(root, "examples/starter"), folder, { recursive: true });
  else {
    mkdirSync(data, { mode: 0o700 });
    if (metrics !== undefined) symlinkSync(metrics, join(data, "metrics"));
    writeFileSync(join(folder, "lab.ts"), lab ?? emptyLab);
  }
  const words = ["up", join(folder, "lab.ts"), "--data", data, "--port", "0", "--ingress-port", "0"];
  // A group of its own: who stops the bench by its group would signal the hub twice, and the second one ends it at once.
  const child = spawn(join(root, "fed"), words, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const stop = once(async () => {
    await end(child, "SIGINT");
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      said += chunk;
      const url = /ready api=(\S+)/.exec(said)?.[1];
      if (url === undefined) continue;
      child.stdout.resume();
      const link = /\/welcome#code=\S+/.exec(said)?.[0] ?? "";
      const token = readFileSync(join(data, "token"), "utf8").trim();
      return { url, link, token, pid: child.pid ?? 0, lab: join(folder, "lab.ts"), stop };
    }
    throw new Error(`fed up ended before it was ready: ${said}`);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

const open = new Set<() => Promise<void>>();

/** Does it when it is called, or when the bench is stopped early: nothing of a bench outlives it. */
export function once(stop: () => Promise<void>): () => Promise<void> {
  const run = async () => {
    if (open.delete(run)) await stop();
  };
  open.add(run);
  return run;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await Promise.all([...open].map((stop) => stop()));
    process.exit(130);
  });
}

/** Asks a process to end and waits until it has. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill(signal);
  await ended;
}

/** In a context of its own, by the link of the first start; what the browser keeps of it. */
export async function signIn(browser: Browser, hub: RunningHub) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(hub.url + hub.link);
  await page.getByLabel("Name").fill("bench");
  await page.getByLabel("Password", { exact: true }).fill("a password for the bench");
  await page.getByRole("button", { name: /create|sign in|continue|start/i }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Resident memory of a process, in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** The lines of a bench: figure, what it is measured against, ratio, verdict. */
export function makeReport() {
  let broken = false;
  const line = (name: string, figure: string, rest: string) =>
    process.stdout.write(`${name.padEnd(44)} ${figure.padStart(12)}  ${rest}\n`);
  return {
    /** At most `limit`. */
    limit(name: string, figure: number, limit: number, unit: string) {
      const good = figure <= limit;
      broken ||= !good;
      const ratio = `${(figure / limit).toFixed(2)}×`;
      line(name, `${figure.toFixed(1)} ${unit}`, `limit ${limit} ${unit}  ${ratio}  ${good ? "pass" : "FAIL"}`);
    },
    /** Beside a peer, for what it is worth. */
    peer(name: string, figure: number, peer: string, peerFigure: number, unit: string) {
      const ratio = `${(figure / peerFigure).toFixed(2)}×`;
      line(name, `${figure.toFixed(1)} ${unit}`, `${peer} ${peerFigure.toFixed(1)} ${unit}  ${ratio}`);
    },
    /** At most so many times a peer's. */
    atMost(name: string, figure: number, peer: string, peerFigure: number, times: number, unit: string) {
      const good = figure <= times * peerFigure;
      broken ||= !good;
      const ratio = `${(figure / peerFigure).toFixed(2)}× (at most ${times})  ${good ? "pass" : "FAIL"}`;
      line(name, `${figure.toFixed(1)} ${unit}`, `${peer} ${peerFigure.toFixed(1)} ${unit}  ${ratio}`);
    },
    end() {
      process.exitCode = broken ? 1 : 0;
    },
  };
}
