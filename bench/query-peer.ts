/** Who is asked by bench/query.ts, each a process of its own with the same data, reached by the same HTTP API. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { findPrometheus } from "../test/promql/real-prometheus.ts";
import { fillStore, linesOf, type Made } from "./query-data.ts";
import { end, once, startHub } from "./running.ts";

export type Params = Readonly<Record<string, string>>;

export interface Asked {
  /** Until the last byte of the answer has come. */
  readonly tookMs: number;
  readonly body: Buffer;
}

export interface Peer {
  readonly name: string;
  ask(path: string, params: Params): Promise<Asked>;
  /** Ends the process and starts it again on the same files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Place {
  readonly url: string;
  readonly token?: string | undefined;
}

export async function askAt({ url, token }: Place, path: string, params: Params, agent?: Agent): Promise<Asked> {
  const body = new URLSearchParams(params).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const beganMs = performance.now();
  return await new Promise((resolve, reject) => {
    const sent = request(`${url}/api/v1/${path}`, { method: "POST", headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const asked = { tookMs: performance.now() - beganMs, body: Buffer.concat(chunks) };
        if (response.statusCode === 200) resolve(asked);
        else reject(new Error(`${response.statusCode}: ${asked.body.toString().slice(0, 300)}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** One that is started by a function and known by its place. */
async function openPeer(
  name: string,
  start: () => Promise<Place & { stop(): Promise<void> }>,
  clear: () => void,
): Promise<Peer> {
  const agent = new Agent({ keepAlive: true });
  let running: Awaited<ReturnType<typeof start>> | undefined = await start();
  const stop = async () => {
    agent.destroy();
    await running?.stop();
    running = undefined;
  };
  const stopAll = once(async () => {
    await stop();
    clear();
  });
  return {
    name,
    ask(path, params) {
      if (running === undefined) throw new Error(`${name} does not run`);
      return askAt(running, path, params, agent);
    },
    async restart() {
      await running?.stop();
      running = undefined;
      running = await start();
    },
    stop: stopAll,
  };
}

/** The real program, its store filled and looked at beforehand. */
export async function openFed(parts: readonly Made[], look: (store: string) => Promise<void>): Promise<Peer> {
  const store = mkdtempSync(join(tmpdir(), "fed-bench-store-"));
  await fillStore(store, parts);
  await look(store);
  return await openPeer(
    "fed",
    async () => {
      const hub = await startHub({ metrics: store });
      // The store opens a second after the hub's start: a query before would wait for that alone.
      await pause(1_500);
      return hub;
    },
    () => rmSync(store, { recursive: true, force: true }),
  );
}

const has = (command: string) => spawnSync("which", [command]).status === 0;

/** Debian's, and the newer one when it can be fetched. */
export async function openPrometheuses(parts: readonly Made[]): Promise<readonly Peer[]> {
  if (!has("promtool")) return [];
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-prom-"));
  for (const part of parts) {
    await pipeline(Readable.from(linesOf(part, "openmetrics")), createWriteStream(join(folder, "in.txt")));
    // As long as they can be: promtool reads all of the text for each block, and Prometheus has few files to open.
    const longest = `${Math.round((part.endMs - part.startMs) / 3_600_000)}h`;
    const words = ["tsdb", "create-blocks-from", "openmetrics", `--max-block-duration=${longest}`, "in.txt", "data"];
    execFileSync("promtool", words, { cwd: folder, stdio: "ignore" });
    rmSync(join(folder, "in.txt"));
  }
  writeFileSync(join(folder, "prometheus.yml"), "global: {}\n");
  const found = new Set([findPrometheus()?.path, "prometheus"].filter((path) => path !== undefined && has(path)));
  const peers: Peer[] = [];
  for (const path of found as ReadonlySet<string>) {
    const said = spawnSync(path, ["--version"], { encoding: "utf8" });
    const version = /version (\d+\.\d+)/.exec(`${said.stdout}${said.stderr}`)?.[1] ?? "?";
    const own = mkdtempSync(join(tmpdir(), "fed-bench-prom-"));
    cpSync(folder, own, { recursive: true });
    const wordsOf = (port: number) => [
      `--config.file=${join(own, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(own, "data")}`,
      "--storage.tsdb.retention.time=50y",
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const clear = () => rmSync(own, { recursive: true, force: true });
    peers.push(await openPeer(`Prometheus ${version}`, () => startProcess(path, wordsOf, "/-/ready"), clear));
  }
  rmSync(folder, { recursive: true, force: true });
  return peers;
}

export async function openVictoria(parts: readonly Made[]): Promise<Peer | undefined> {
  if (!has("victoria-metrics")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-vm-"));
  const start = () =>
    startProcess(
      "victoria-metrics",
      (port) => [
        `-storageDataPath=${folder}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        "-retentionPeriod=10y",
        "-search.latencyOffset=0s",
        "-search.maxUniqueTimeseries=1000000",
      ],
      "/health",
    );
  const filled = await start();
  for (const part of parts) {
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${filled.url}/api/v1/import/prometheus`, { method: "POST" }, (response) => {
        response.resume().once("end", resolve);
      });
      sent.once("error", reject);
      pipeline(Readable.from(linesOf(part, "text")), sent).catch(reject);
    });
  }
  await filled.stop();
  return await openPeer("VictoriaMetrics", start, () => rmSync(folder, { recursive: true, force: true }));
}

/** A program that listens on a port of its own, once it answers at `health`. */
export async function startProcess(
  path: string,
  wordsOf: (port: number) => readonly string[],
  health: string,
): Promise<Place & { readonly pid: number; stop(): Promise<void> }> {
  const port = await freePort();
  const child: ChildProcess = spawn(path, wordsOf(port), { stdio: "ignore" });
  const stop = once(() => end(child, "SIGTERM"));
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}${health}`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let tries = 0; !(await isReady()); tries++) {
    if (tries > 300 || child.exitCode !== null) {
      await stop();
      throw new Error(`${path} does not start`);
    }
    await pause(100);
  }
  return { url, pid: child.pid ?? 0, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
