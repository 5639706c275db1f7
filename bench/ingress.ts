/**
 * The builtin ingress against Debian's Caddy: requests per second and p99 over HTTP/1.1 (wrk) and over HTTP/2 with TLS
 * (h2load), and what 1,000 open WebSockets take in memory. The same backend (a small Node server in a process of its own),
 * the same load, rounds in turn, medians compared. Takes about a minute. `node bench/ingress.ts`.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { type AddressInfo, createServer as createRawServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { openBuiltinIngress } from "../packages/fed/src/adapter/builtin/index.ts";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { silentTrace } from "../packages/fed/src/base/trace.ts";
import { makeCertificate } from "../packages/fed/src/port/certificate.scene.ts";

const rounds = 5;
const atLeast = 0.7;
const webSockets = 1_000;
const hostName = "bench.localhost";
const run = promisify(execFile);

interface Figures {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** The backend of both, and the ingress: each in a process of its own that prints its port. */
async function play(role: string, backendPort: number, folder: string): Promise<void> {
  process.once("disconnect", () => process.exit());
  if (role === "backend") {
    const body = Buffer.from("hello from the backend\n");
    const server = createServer((_, response) => {
      response.writeHead(200, ["Content-Type", "text/plain", "Content-Length", String(body.length)]).end(body);
    });
    server.on("upgrade", (_, socket: Socket) => {
      socket.on("error", () => {}).on("end", () => socket.end());
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.resume();
    });
    server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
    return;
  }
  const [certificate, key] = await Promise.all(pemFiles(folder).map((path) => readFile(path, "utf8")));
  const given = { certificate: certificate ?? "", key: key ?? "" };
  const secure = { port: () => 0, certificates: async () => [given] };
  const ingress = await openBuiltinIngress({
    host: "127.0.0.1",
    port: 0,
    secure,
    clock: systemClock,
    trace: silentTrace,
  });
  const targets = [{ instance: "bench", host: "127.0.0.1", port: backendPort }];
  const match = { kind: "host", host: hostName, tls: { kind: "given" } } as const;
  const route = { match, service: "dev/bench", targets };
  await ingress.apply([route], new AbortController().signal);
  process.send?.([ingress.address.port, ingress.secureAddress?.port]);
}

const pemFiles = (folder: string) => [join(folder, "certificate.pem"), join(folder, "key.pem")];

/** An ingress that runs. */
interface Running {
  readonly pid: number;
  readonly port: number;
  readonly securePort: number;
}

const children: ChildProcess[] = [];
const stopped = new AbortController();

async function startRole<Said>(role: string, backendPort = 0, folder = ""): Promise<{ pid: number; said: Said }> {
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
  // As the launcher starts fed.
  const words = ["--max-semi-space-size=2", import.meta.filename, role, String(backendPort), folder];
  const child = spawn(process.execPath, words, { stdio: [...stdio] });
  children.push(child);
  const [said] = (await once(child, "message", { signal: AbortSignal.timeout(10_000) })) as [Said];
  return { pid: child.pid ?? 0, said };
}

async function startBuiltin(folder: string, backendPort: number): Promise<Running> {
  const { pid, said } = await startRole<[number, number]>("builtin", backendPort, folder);
  return { pid, port: said[0], securePort: said[1] };
}

async function startCaddy(folder: string, backendPort: number): Promise<Running> {
  const [port, securePort] = [await freePort(), await freePort()];
  const config = join(folder, "Caddyfile");
  const proxy = `  reverse_proxy 127.0.0.1:${backendPort}\n}\n`;
  const [plain, secure] = [`http://${hostName}:${port}`, `https://${hostName}:${securePort}`];
  const site = `${plain} {\n${proxy}${secure} {\n  tls ${pemFiles(folder).join(" ")}\n${proxy}`;
  await writeFile(config, `{\n  admin off\n  auto_https disable_redirects\n}\n${site}`);
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn("caddy", ["run", "--config", config, "--adapter", "caddyfile"], { stdio: "ignore", env });
  children.push(child);
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer) return { pid: child.pid ?? 0, port, securePort };
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

/** As `measure`, over HTTP/2 with TLS: 32 requests at a time in 4 connections. */
async function measureHttp2(folder: string, port: number, seconds: number): Promise<Figures> {
  const log = join(folder, `h2load-${port}.tsv`);
  await rm(log, { force: true });
  const name = [`--connect-to=127.0.0.1:${port}`, `https://${hostName}:${port}/`];
  const load = ["-t1", "-c4", "-m8", `-D${seconds}`, `--log-file=${log}`, ...name];
  const { stdout } = await run("h2load", load, { timeout: 60_000, signal: stopped.signal });
  const [, requests = ""] = /finished in [\d.]+s, ([\d.]+) req\/s/.exec(stdout) ?? [];
  const [, good = "0", bad = "1"] = /status codes: (\d+) 2xx, 0 3xx, 0 4xx, (\d+) 5xx/.exec(stdout) ?? [];
  if (good === "0" || bad !== "0") throw new Error(`h2load saw failures: ${stdout}`);
  // Start, status and microseconds of each request.
  const times = (await readFile(log, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split("\t")[2]));
  times.sort((a, b) => a - b);
  return { requestsPerSecond: Number(requests), p99Ms: (times[Math.floor(times.length * 0.99)] ?? Number.NaN) / 1000 };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** What the process has in memory while so many WebSockets are open through it. */
async function measureWebSockets({ pid, port }: Running): Promise<number> {
  const sockets: Socket[] = [];
  const headers = { Host: hostName, Connection: "Upgrade", Upgrade: "websocket" };
  try {
    while (sockets.length < webSockets) {
      const asked = request({ host: "127.0.0.1", port, headers, agent: false, signal: stopped.signal });
      asked.end();
      const [, socket] = (await once(asked, "upgrade", { signal: AbortSignal.timeout(10_000) })) as [unknown, Socket];
      sockets.push(socket.on("error", () => {}));
    }
    return await residentMb(pid);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
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
  const { certificate, key } = makeCertificate(hostName);
  const [certificateFile = "", keyFile = ""] = pemFiles(folder);
  await Promise.all([writeFile(certificateFile, certificate), writeFile(keyFile, key, { mode: 0o600 })]);
  const { said: backend } = await startRole<number>("backend");
  const running = [await startBuiltin(folder, backend), await startCaddy(folder, backend)] as const;
  const memory = [await measureWebSockets(running[0]), await measureWebSockets(running[1])] as const;
  const light = report(`${webSockets} WebSockets MB`, memory[0], memory[1], memory[1] / memory[0]);
  const plain = await compareLoad("ingress", [running[0].port, running[1].port], measure);
  const securePorts = [running[0].securePort, running[1].securePort] as const;
  const secure = await compareLoad("ingress HTTP/2", securePorts, (port, seconds) =>
    measureHttp2(folder, port, seconds),
  );
  return light && plain && secure;
}

type Measure = (port: number, seconds: number) => Promise<Figures>;

async function compareLoad(what: string, ports: readonly [number, number], measureOne: Measure): Promise<boolean> {
  const seen: [Figures[], Figures[]] = [[], []];
  for (const port of ports) await measureOne(port, 1);
  for (let round = 0; round < rounds; round++) {
    seen[0].push(await measureOne(ports[0], 3));
    seen[1].push(await measureOne(ports[1], 3));
  }
  const [own, peer] = seen.map((figures) => ({
    requestsPerSecond: median(figures.map((one) => one.requestsPerSecond)),
    p99Ms: median(figures.map((one) => one.p99Ms)),
  })) as [Figures, Figures];
  const { requestsPerSecond, p99Ms } = own;
  const fast = report(
    `${what} requests/s`,
    requestsPerSecond,
    peer.requestsPerSecond,
    requestsPerSecond / peer.requestsPerSecond,
  );
  const steady = report(`${what} p99 ms`, p99Ms, peer.p99Ms, peer.p99Ms / p99Ms);
  return fast && steady;
}

/** What is needed, and in which package of Debian it is. */
const packages = { wrk: "wrk", caddy: "caddy", h2load: "nghttp2-client", openssl: "openssl" };

async function missing(program: string): Promise<boolean> {
  const flag = { wrk: "-v", h2load: "--version" }[program] ?? "version";
  // wrk prints its version and exits 1.
  return run(program, [flag]).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

async function main(): Promise<number> {
  for (const [program, pack] of Object.entries(packages)) {
    if (await missing(program)) {
      print(`ingress  ${program} is not installed: apt-get install ${pack}`);
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

const [role, backendPort, folder] = process.argv.slice(2);
if (role === undefined) process.exitCode = await main();
else await play(role, Number(backendPort), folder ?? "");
