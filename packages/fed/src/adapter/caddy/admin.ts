/** Caddy's admin API, over connections that a shell makes: one for each question, since each change makes its server anew. */
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { untilAborted } from "#base/abort.ts";
import { type Clock, sleep, withDeadline } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { ForwardTarget, Shell } from "#port/shell.ts";
import { type Json, parseJson, printJson } from "./json.ts";
import { limit } from "./limit.ts";

export interface CaddyAdmin {
  /** The whole configuration, and the tag of this version of it. */
  read(signal: AbortSignal): Promise<{ readonly config: Json; readonly tag: string }>;
  /**
   * Puts another one in place of the version with that tag, as a whole; false when somebody was faster. Fault `invalid` with Caddy's
   * own words when it does not take it: then the one before holds.
   */
  replace(config: Json, tag: string, signal: AbortSignal): Promise<boolean>;
  /** Whether it knows all words of this Caddyfile. */
  understands(caddyfile: string, signal: AbortSignal): Promise<boolean>;
  /** Requests and upgraded connections in flight, by upstream as the configuration names it. */
  inFlight(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
  /** What Caddy's own port answers to a plain request. */
  ask(place: { readonly host: string; readonly port: number }, hostName: string, signal: AbortSignal): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly tag: string;
  readonly text: string;
}

interface Question {
  readonly target: ForwardTarget;
  readonly hostName: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function openCaddyAdmin(shell: Shell, address: string, clock: Clock): CaddyAdmin {
  const { target, hostName } = readAddress(address);
  const name = `Caddy's admin API at ${address} (${shell.name})`;
  // Each change of the configuration makes the server of the admin API anew, and may cut off who has just asked the old one. A question
  // that was cut off can be put again: a change that was made meanwhile has another tag.
  const patient = async (question: Question, signal: AbortSignal): Promise<Answer> => {
    for (let tries = 1; ; tries++) {
      try {
        return await exchange(shell, name, question, signal);
      } catch (thrown) {
        if (tries === limit.tries || !isFault(thrown) || thrown.code !== "unreachable") throw thrown;
        await sleep(clock, limit.againMs, signal);
      }
    }
  };
  const send = (question: Question, signal: AbortSignal): Promise<Answer> =>
    withDeadline(clock, limit.adminMs, name, (limited) => patient(question, limited), signal);
  const get = (path: string, signal: AbortSignal) => send({ target, hostName, method: "GET", path }, signal);
  const post = (path: string, type: string, body: string, signal: AbortSignal, more: Record<string, string> = {}) =>
    send({ target, hostName, method: "POST", path, headers: { "content-type": type, ...more }, body }, signal);

  return {
    async read(signal) {
      const { status, tag, text } = await get("/config/", signal);
      if (status !== 200) throw refusal(name, status, text);
      if (tag === "") throw new Fault("unsupported", `${name} tells no version of its configuration`, { hint: tooOld });
      return { config: parseJson(text), tag };
    },
    async replace(config, tag, signal) {
      const answer = await post("/config/", "application/json", printJson(config), signal, { "if-match": tag });
      if (answer.status === 412) return false;
      if (answer.status !== 200) throw refusal(name, answer.status, answer.text);
      return true;
    },
    async understands(caddyfile, signal) {
      return (await post("/adapt", "text/caddyfile", caddyfile, signal)).status === 200;
    },
    async inFlight(signal) {
      const { status, text } = await get("/reverse_proxy/upstreams", signal);
      if (status !== 200) throw refusal(name, status, text);
      const upstreams: readonly { readonly address: string; readonly num_requests: number }[] = JSON.parse(text);
      return new Map(upstreams.map(({ address: upstream, num_requests }) => [upstream, num_requests]));
    },
    ask: (place, asked, signal) =>
      send({ target: { kind: "tcp", ...place }, hostName: asked, method: "GET", path: "/" }, signal),
  };
}

/** `http://127.0.0.1:2019`, or `unix//run/caddy/admin.sock` as Caddy writes it. */
function readAddress(address: string): Pick<Question, "target" | "hostName"> {
  if (address.startsWith("unix//")) {
    return { target: { kind: "socket", path: address.slice("unix/".length) }, hostName: "" };
  }
  const url = URL.parse(address);
  if (url?.protocol !== "http:") {
    throw new Fault("invalid", `${JSON.stringify(address)} is no address of Caddy's admin API`, {
      hint: "Write it as http://127.0.0.1:2019, or unix//path/of/the.sock.",
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { target: { kind: "tcp", host, port: Number(url.port || 80) }, hostName: url.host };
}

const tooOld = "fed needs Caddy 2.6 or newer.";

async function exchange(shell: Shell, name: string, question: Question, signal: AbortSignal): Promise<Answer> {
  const connection = await shell.forward(question.target, signal);
  connection.on("error", () => {});
  try {
    const answer = await untilAborted(begin(connection, question), signal);
    const text = await untilAborted(readText(answer), signal);
    // Caddy knows the tag once it has written the answer: it comes behind it.
    const tag = answer.headers.etag ?? answer.trailers.etag ?? "";
    return { status: answer.statusCode ?? 0, tag, text };
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Fault("unreachable", `${name} broke off: ${why}`, { cause: thrown });
  } finally {
    connection.destroy();
  }
}

function begin(connection: Duplex, question: Question): Promise<IncomingMessage> {
  const { hostName, method, path, headers, body } = question;
  return new Promise((resolve, reject) => {
    const asking = request({
      createConnection: () => connection,
      ...{ method, path, setHost: false },
      headers: { ...headers, host: hostName, connection: "close", "content-length": Buffer.byteLength(body ?? "") },
    });
    asking.once("response", resolve).once("error", reject);
    asking.end(body);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > limit.adminSizeBytes) throw new Error("it answers without end");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function refusal(name: string, status: number, text: string): Fault {
  const words = /"error":\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  const why = words === undefined ? `status ${status}` : String(JSON.parse(words));
  if (status === 403) {
    return new Fault("denied", `${name} does not let us in: ${why}`, {
      hint: "Give the address that Caddy's own configuration names for its admin endpoint.",
    });
  }
  return new Fault("invalid", `${name}: ${why.slice(0, 2_000)}`, { details: { status } });
}
