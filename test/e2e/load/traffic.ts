import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import type { Place } from "../../../packages/fed/src/port/ingress.scene.ts";
import { openTalk } from "./talk.ts";

/**
 * Constant load by clients of all kinds. What fails is counted by them, exactly: a connection refused, reset or closed without an
 * answer, a status that is not 200, a body that breaks off or is not what was asked for, an answer of an earlier version to a request
 * that began after the release was told to be done; a WebSocket that cannot be opened, that does not answer, or that ends without a
 * close frame. One that is open when its instance is to end may be told 1001, "going away": then the next one has to open at once.
 */

export interface Traffic {
  /** From now on no answer of an earlier version is right for requests that begin now. */
  newest: number;
  /** Ends all of it, and tells what came of it. */
  stop(): Promise<TrafficReport>;
}

export interface TrafficReport {
  /** Requests that were answered rightly, by kind of client. */
  readonly right: Readonly<Record<string, number>>;
  /** What went wrong, and how often. */
  readonly wrong: Readonly<Record<string, number>>;
}

interface Kind {
  readonly name: string;
  readonly path: string;
  /** Parts of its body, sent one after the other with a rest between. */
  readonly parts?: number;
  readonly partBytes?: number;
  readonly partMs?: number;
  /** The answer is padded to so many. */
  readonly answerBytes?: number;
  /** A connection for each request. */
  readonly fresh?: boolean;
  readonly restMs: number;
}

const seconds = 1_500;
const kinds: readonly Kind[] = [
  { name: "kept connection", path: "/", restMs: 2 },
  { name: "kept connection", path: "/", restMs: 33 },
  { name: "kept connection", path: "/", restMs: 900 },
  { name: "connection for each", path: "/", fresh: true, restMs: 10 },
  { name: "large answer", path: "/?bytes=3000000", answerBytes: 3_000_000, restMs: 100 },
  { name: "late answer", path: `/late?ms=${seconds}`, restMs: 0 },
  { name: "late answer", path: "/late?ms=200", restMs: 0 },
  { name: "slow answer", path: `/slow?ms=${seconds}`, restMs: 0 },
  { name: "small upload", path: "/", parts: 1, partBytes: 1_000, restMs: 5 },
  { name: "large upload", path: "/", parts: 1, partBytes: 3_000_000, restMs: 100 },
  { name: "slow upload", path: "/", parts: 30, partBytes: 10_000, partMs: seconds / 30, restMs: 0 },
  { name: "slow upload, late answer", path: "/late?ms=500", parts: 10, partBytes: 999, partMs: 30, restMs: 0 },
];

export const isWrkThere = spawnSync("wrk", ["--version"]).error === undefined;

/** Each has to have had right answers, or nothing was proven. */
export const clientKinds: readonly string[] = [
  ...new Set(kinds.map(({ name }) => name)),
  ...["long WebSocket", "long WebSocket told to go", "short WebSocket"],
  ...(isWrkThere ? ["wrk"] : []),
];

/** Begins it: `folder` holds what wrk needs. */
export async function startTraffic(place: Place, host: string, folder: string): Promise<Traffic> {
  const right: Record<string, number> = {};
  const wrong: Record<string, number> = {};
  let running = true;
  const count = (into: Record<string, number>, what: string, more = 1) => {
    into[what] = (into[what] ?? 0) + more;
  };
  const traffic = { newest: 0 };
  const judge = (name: string, answered: string, sizeBytes: number, atLeast: number) => {
    const [, version = "-1", size] = /^200 (\d+) (\d+) *$/.exec(answered) ?? [];
    if (Number(version) >= atLeast && Number(size) === sizeBytes) count(right, name);
    else count(wrong, `${name}: ${answered.slice(0, 100).trimEnd()} (at least version ${atLeast})`);
  };
  const asking = kinds.map(async (kind) => {
    const agent = new Agent({ keepAlive: kind.fresh !== true, maxSockets: 1 });
    const { parts = 0, partBytes = 0 } = kind;
    while (running) {
      const atLeast = traffic.newest;
      const answered = await send(place, host, kind, agent).catch((error) => `${error.code ?? error.message}`);
      judge(kind.name, answered, parts * partBytes, atLeast);
      if (kind.restMs > 0) await pause(kind.restMs);
    }
    agent.destroy();
  });
  const talking = ["long", "long", "short"].map(async (length) => {
    while (running) {
      const atLeast = traffic.newest;
      const end = () => !running || (length === "short" && Math.random() < 0.2);
      const name = `${length} WebSocket`;
      const outcome = await converse(place, host, atLeast, end, () => count(right, name)).catch(String);
      if (outcome === undefined) count(right, `${name} told to go`);
      else if (outcome !== "closed") count(wrong, `${name}: ${outcome}`);
    }
  });
  const wrk = isWrkThere ? await startWrk(place, host, folder) : undefined;
  return Object.assign(traffic, {
    async stop() {
      running = false;
      const said = await wrk?.stop();
      await Promise.all([...asking, ...talking]);
      if (said !== undefined) {
        count(right, "wrk", said.right);
        for (const line of said.wrong) count(wrong, `wrk: ${line}`);
      }
      return { right, wrong };
    },
  });
}

/** Status and body of one request. */
async function send(place: Place, host: string, kind: Kind, agent: Agent): Promise<string> {
  const { path, parts = 0, partBytes = 0, partMs = 0 } = kind;
  const body = parts > 0 ? { "content-length": parts * partBytes } : {};
  const method = parts > 0 ? "POST" : "GET";
  const outgoing = request({ ...place, path, agent, method, headers: { host, ...body } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve).on("error", reject);
  });
  answered.catch(() => {});
  for (let i = 0; i < parts && !outgoing.destroyed; i++) {
    outgoing.write(Buffer.alloc(partBytes));
    if (partMs > 0) await pause(partMs);
  }
  outgoing.end();
  const answer = await answered;
  const said = await text(answer);
  const short = kind.answerBytes !== undefined && said.length !== kind.answerBytes;
  return short ? `${said.length} bytes of an answer of ${kind.answerBytes}` : `${answer.statusCode} ${said}`;
}

/** Talks until `end`; "closed" when it ended so, undefined when it was told that its instance goes away, else what went wrong. */
async function converse(place: Place, host: string, atLeast: number, end: () => boolean, onAnswer: () => void) {
  const talk = await openTalk(place, host);
  for (let i = 0; !end(); i++) {
    const words = `words ${i}`;
    const answer = await talk.say(words);
    if (answer === undefined) {
      const how = await talk.ended;
      return how === 1001 ? undefined : `ended by ${how}`;
    }
    const [version = "", ...rest] = answer.split(" ");
    if (Number(version) < atLeast || rest.join(" ") !== words)
      return `answered ${answer} (at least version ${atLeast})`;
    onAnswer();
    await pause(50);
  }
  const how = await talk.close();
  if (how === 1001) return undefined;
  return how === 1000 ? "closed" : `closed, and ended by ${how}`;
}

/** wrk on some connections, at a steady pace: it tells at its end what it counted. */
async function startWrk({ host: address, port }: Place, host: string, folder: string) {
  const script = join(folder, "pace.lua");
  await writeFile(script, "function delay()\n  return math.random(5, 25)\nend\n");
  const words = ["-t", "1", "-c", "12", "-d", "3600", "--timeout", "30", "-s", script, "-H", `Host: ${host}`];
  const child: ChildProcess = spawn("wrk", [...words, `http://${address}:${port}/`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = child.stdout === null ? Promise.resolve("") : text(child.stdout);
  return {
    async stop() {
      child.kill("SIGINT");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      const told = await said;
      const requests = Number(/(\d+) requests in/.exec(told)?.[1] ?? 0);
      const lines = told.split("\n").map((line) => line.trim());
      return { right: requests, wrong: lines.filter((line) => /^(Socket errors|Non-2xx)/.test(line)) };
    },
  };
}
