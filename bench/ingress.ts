/**
 * Requests per second and p99 of the builtin ingress against Debian's Caddy: the same backend (a small Node server in a
 * process of its own), the same wrk arguments, rounds in turn, medians compared. Takes about 30 s. `node bench/ingress.ts`.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createRawServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { openBuiltinIngress } from "../packages/fed/src/adapter/builtin/index.ts";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { silentTrace } from "../packages/fed/src/base/trace.ts";

const rounds = 5;
const atLeast = 0.7;
const hostName = "bench.localhost";
const run = promisify(execFile);

interface Figures {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** The backend of both, and the ingress: each in a process of its own that prints its port. */
async function play(role: string, backendPort: number): Promise<void> {
  process.once("disconnect", () => process.exit());
  if (role === "backend") {
    const body = Buffer.from("hello from the backend\n");
    const server = createServer((_, response) => {
      response.writeHead(200, ["Content-Type", "text/plain", "Content-Length", String(body.length)]).end(body);
    });
    server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
    return;
  }
  const ingress = await openBuiltinIngress({ host: "127.0.0.1", port: 0, clock: systemClock, trace: silentTrace });
  const targets = [{ instance: "bench", host: "127.0.0.1", port: backendPort }];
  const route = { match: { kind: "host", host: hostName }, service: "dev/bench", targets } as const;
  await ingress.apply([route], new AbortController().signal);
  process.send?.(ingress.address.port);
}

const children: ChildProcess[] = [];
const stopped = new AbortController();

async function startRole(role: string, backendPort = 0): Promise<number> {
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  // As the launcher starts fed.
  const child = spawn(process.execPath, ["--max-semi-space-size=2", import.meta.filename, role, String(backendPort)], {
    stdio: [...stdio],
  });
  children.push(child);
  const [port] = (await once(child, "message", { signal: AbortSignal.timeout(10_000) })) as [number];
  return port;
}

async function startCaddy(folder: string, backendPort: number): Promise<number> {
  const port = await freePort();
  const config = join(folder, "Caddyfile");
  const site = `http://${hostName}:${port} {\n  reverse_proxy 127.0.0.1:${backendPort}\n}\n`;
  await writeFile(config, `{\n  admin off\n  auto_https off\n}\n${site}`);
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn("caddy", ["run", "--config", config, "--adapter", "caddyfile"], { stdio: "ignore", env });
  children.push(child);
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return port;
    await pause(50);
  }
  throw new Error("caddy did not start within 5 s");
}

async function freePort(): Promise<number> {
  const server = createRawServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function measure(port: number, seconds: number): Promise<Figures> {
  const load = ["-t1", "-c32", `-d${seconds}s`, "--latency", "-H", `Host: ${hostName}`];
  const { stdout } = await run("wrk", [...load, `http://127.0.0.1:${port}/`], {
    timeout: 60_000,
    signal: stopped.signal,
  });
  const trouble = /^.*(Non-2xx|Socket errors).*$/m.exec(stdout);
  if (trouble) throw new Error(`wrk saw failures: ${trouble[0].trim()}`);
  const [, p99 = "", unit = ""] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const [, requests = ""] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  const scale = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
  return { requestsPerSecond: Number(requests), p99Ms: Number(p99) * scale };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One line: name, our figure, the peer's, how many times as good we are. */
function report(name: string, figure: number, peer: number, ratio: number): boolean {
  const passed = ratio >= atLeast;
  const numbers = [figure, peer].map((value) => (value >= 100 ? value.toFixed(0) : value.toFixed(2)));
  print([name, numbers[0], `caddy ${numbers[1]}`, `${ratio.toFixed(2)}x`, passed ? "pass" : "FAIL"].join("  "));
  return passed;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function compare(folder: string): Promise<boolean> {
  const backend = await startRole("backend");
  const ports = [await startRole("builtin", backend), await startCaddy(folder, backend)] as const;
  const seen: [Figures[], Figures[]] = [[], []];
  for (const port of ports) await measure(port, 1);
  for (let round = 0; round < rounds; round++) {
    seen[0].push(await measure(ports[0], 3));
    seen[1].push(await measure(ports[1], 3));
  }
  const [own, peer] = seen.map((figures) => ({
    requestsPerSecond: median(figures.map((one) => one.requestsPerSecond)),
    p99Ms: median(figures.map((one) => one.p99Ms)),
  })) as [Figures, Figures];
  const { requestsPerSecond, p99Ms } = own;
  const fast = report(
    "ingress requests/s",
    requestsPerSecond,
    peer.requestsPerSecond,
    requestsPerSecond / peer.requestsPerSecond,
  );
  const steady = report("ingress p99 ms", p99Ms, peer.p99Ms, peer.p99Ms / p99Ms);
  return fast && steady;
}

async function missing(program: string): Promise<boolean> {
  const flag = program === "wrk" ? "-v" : "version";
  // wrk prints its version and exits 1.
  return run(program, [flag]).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

async function main(): Promise<number> {
  for (const program of ["wrk", "caddy"]) {
    if (await missing(program)) {
      print(`ingress  ${program} is not installed: apt-get install ${program}`);
      return 1;
    }
  }
  const folder = await mkdtemp(join(tmpdir(), "fed-bench-"));
  // Stopped early: the load ends, and with it everything below unwinds.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort());
  try {
    return (await compare(folder)) ? 0 : 1;
  } finally {
    const ends = children.map((child) => child.exitCode ?? once(child, "exit"));
    for (const child of children) child.kill();
    await Promise.all(ends);
    await rm(folder, { recursive: true, force: true });
  }
}

const [role, backendPort] = process.argv.slice(2);
if (role === undefined) process.exitCode = await main();
else await play(role, Number(backendPort));
