/** How long the hub's own thread keeps others waiting while it answers a long query and takes a large write. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { compress } from "snappyjs";
import { systemClock } from "../packages/fed/src/base/clock.ts";
import { writeWriteRequest } from "../packages/fed/src/engine/exposition/remote-write.ts";
import { labelsOf } from "../packages/fed/src/engine/series/labels.ts";
import type { Range } from "../packages/fed/src/hub/metric/metric.ts";
import { type Metrics, openMetrics } from "../packages/fed/src/hub/metric/verbs.ts";

/** The longest time between two turns of the loop. */
export interface Gap {
  readonly wallMs: number;
  /** Of the processor's time, which others that want it too cannot lengthen. */
  readonly ownMs: number;
}

const rounds = 5;
const writtenSeries = 5_000;
const samplesEach = 10;

/** Serves these metrics as the hub does, asked by a process of its own. */
export async function measureGaps(store: string, query: string, range: Range): Promise<{ query: Gap; write: Gap }> {
  const folder = mkdtempSync(join(tmpdir(), "fed-bench-gap-"));
  const read = openMetrics({ folder: store, clock: systemClock });
  const written = openMetrics({ folder: join(folder, "metrics"), clock: systemClock });
  const server = createServer((request, response) => {
    const answered =
      request.method === "POST" ? take(written, request, response) : answer(read, query, range, response);
    answered.catch((thrown) => response.destroy(thrown as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
  try {
    // Made beforehand: what is left of it to be collected is not the hub's.
    for (let round = 0; round < rounds; round++) writeFileSync(join(folder, `body-${round}`), manySamples(round));
    const asked = await greatestGap(() => fetchFrom(url));
    const taken = await greatestGap((round) => fetchFrom(url, join(folder, `body-${round}`)));
    return { query: asked, write: taken };
  } finally {
    server.close();
    await read.close();
    await written.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answer(metrics: Metrics, text: string, range: Range, response: ServerResponse): Promise<void> {
  const question = { kind: "query", text, range, timeoutMs: 60_000, limit: 0 } as const;
  await pipeline(Readable.from(await metrics.ask(question, new AbortController().signal)), response);
}

async function take(metrics: Metrics, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = (await buffer(request)) as Uint8Array<ArrayBuffer>;
  const { added } = await metrics.keep({ kind: "write", bytes }, "bench");
  if (added !== writtenSeries * samplesEach) throw new Error(`${added} samples were kept`);
  response.end();
}

function manySamples(round: number): Buffer {
  const firstMs = Date.now() - 600_000 + round * samplesEach * 1_000;
  const series = Array.from({ length: writtenSeries }, (_, nth) => ({
    labels: labelsOf({ __name__: "written", instance: `node${nth % 50}:9100`, job: "node", nth: `${nth}` }),
    times: Float64Array.from({ length: samplesEach }, (_, i) => firstMs + i * 1_000),
    values: Float64Array.from({ length: samplesEach }, (_, i) => nth + i / 8),
  }));
  return Buffer.from(compress(writeWriteRequest(series)));
}

/** Medians of the greatest of each round. */
async function greatestGap(work: (round: number) => Promise<void>): Promise<Gap> {
  const [wall, own]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const watch = watchLoop();
    await work(round);
    const { wallMs, ownMs } = watch();
    wall.push(wallMs);
    own.push(ownMs);
  }
  const median = (found: number[]) => found.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
  return { wallMs: median(wall), ownMs: median(own) };
}

function watchLoop(): () => Gap {
  const now = () => {
    const { user, system } = process.threadCpuUsage();
    return { wallMs: performance.now(), ownMs: (user + system) / 1_000 };
  };
  let [before, most] = [now(), { wallMs: 0, ownMs: 0 }];
  const look = () => {
    const after = now();
    most = {
      wallMs: Math.max(most.wallMs, after.wallMs - before.wallMs),
      ownMs: Math.max(most.ownMs, after.ownMs - before.ownMs),
    };
    before = after;
  };
  const timer = setInterval(look, 1);
  return () => {
    clearInterval(timer);
    look();
    return most;
  };
}

/** By another process, which does the reading and writing of its side. */
function fetchFrom(url: string, body?: string): Promise<void> {
  const script = `
    const [url, body] = process.argv.slice(1);
    const init = body ? { method: "POST", body: require("node:fs").readFileSync(body) } : {};
    fetch(url, init).then((response) => response.arrayBuffer()).catch(() => process.exit(1));`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["-e", script, url, ...(body === undefined ? [] : [body])]);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new Error("the question was not answered"))));
  });
}
