/** Clients of all kinds that ask all the time and note what goes wrong. */
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { echoWebSocket, type Instance, type Place, type Stage, startInstance } from "#port/ingress.scene.ts";

/** An instance that says its id and how many bytes it got, at `/slow` after a while. */
export async function startCounting(stage: Stage, id: string): Promise<Instance> {
  const instance = await startInstance(stage, id, async (incoming, response) => {
    let sizeBytes = 0;
    for await (const chunk of incoming) sizeBytes += chunk.length;
    if (incoming.url === "/slow") await pause(150);
    response.end(`${id} ${sizeBytes}`);
  });
  echoWebSocket(instance.server);
  return instance;
}

export interface Load {
  /** Requests that were answered. */
  readonly requests: number;
  /** What went wrong, and how often. */
  readonly wrong: ReadonlyMap<string, number>;
  /** From now on no answer of an earlier instance is right for requests that begin now. */
  newest: number;
  stop(): Promise<void>;
}

interface Kind {
  readonly path: string;
  /** Parts of the body, sent one by one. */
  readonly parts: number;
  readonly partBytes: number;
  readonly partMs: number;
  readonly keepAlive: boolean;
  readonly restMs: number;
}

const quick: Kind = { path: "/", parts: 0, partBytes: 0, partMs: 0, keepAlive: true, restMs: 0 };
const kinds: readonly Kind[] = [
  ...Array.from({ length: 8 }, () => quick),
  { ...quick, restMs: 7 },
  { ...quick, restMs: 33 },
  { ...quick, keepAlive: false },
  { ...quick, path: "/slow" },
  { ...quick, path: "/slow", parts: 1, partBytes: 1000 },
  { ...quick, parts: 1, partBytes: 300_000 },
  { ...quick, parts: 20, partBytes: 10_000, partMs: 10 },
  { ...quick, parts: 1, partBytes: 1000, keepAlive: false, restMs: 3 },
];

export function startLoad(stage: Stage, place: Place, host: string): Load {
  const wrong = new Map<string, number>();
  let running = true;
  const load = {
    ...{ requests: 0, wrong, newest: 0 },
    async stop() {
      running = false;
      await clients;
    },
  };
  const once = async (kind: Kind, agent: Agent | false) => {
    const atLeast = load.newest;
    const said = await send(place, host, kind, agent).catch((error) => `${error.code ?? error.message}`);
    load.requests++;
    const [, id = "-1", sizeBytes] = /^200 (\d+) (\d+)$/.exec(said) ?? [];
    const sentBytes = kind.parts * kind.partBytes;
    const isRight = Number(id) >= atLeast && Number(sizeBytes) === sentBytes;
    if (!isRight) {
      const what = `${kind.path} ${sentBytes}: ${said} (at least ${atLeast})`;
      wrong.set(what, (wrong.get(what) ?? 0) + 1);
    }
  };
  const clients = Promise.all(
    kinds.map(async (kind) => {
      const agent = kind.keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
      if (agent) stage.onEnd(() => agent.destroy());
      while (running) {
        await once(kind, agent);
        if (kind.restMs > 0) await pause(kind.restMs);
      }
    }),
  );
  stage.onEnd(() => load.stop());
  return load;
}

/** Status and body of one request, its body sent in its parts. */
async function send(place: Place, host: string, kind: Kind, agent: Agent | false): Promise<string> {
  const { path, parts, partBytes, partMs } = kind;
  const headers = { host, "content-length": parts * partBytes };
  const outgoing = request({ ...place, path, agent, headers, method: parts > 0 ? "POST" : "GET" });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve).once("error", reject);
  });
  answered.catch(() => {});
  for (let i = 0; i < parts && !outgoing.destroyed; i++) {
    outgoing.write(Buffer.alloc(partBytes));
    if (partMs > 0) await pause(partMs);
  }
  outgoing.end();
  const answer = await answered;
  return `${answer.statusCode} ${await text(answer)}`;
}

export interface Talk {
  /** Says it and returns the answer; rejects when the connection is gone. */
  say(words: string): Promise<string>;
  close(): Promise<void>;
}

/** A WebSocket to an instance that echoes. */
export async function openTalk(stage: Stage, url: string): Promise<Talk> {
  const socket = new WebSocket(url);
  stage.onEnd(() => socket.close());
  const closed = new Promise<void>((resolve) => {
    socket.onclose = () => resolve();
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no WebSocket to ${url}`));
  });
  return {
    say: (words) =>
      new Promise((resolve, reject) => {
        closed.then(() => reject(new Error(`closed before ${words} came back`)));
        socket.onmessage = ({ data }) => resolve(data);
        socket.send(words);
      }),
    async close() {
      socket.close();
      await closed;
    },
  };
}
