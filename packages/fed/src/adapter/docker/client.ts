/**
 * The HTTP API of Docker's engine, which Podman speaks as well, over a socket of this machine or any connection to one.
 *
 * Each call has a connection of its own: to connect to a socket costs tens of microseconds, over SSH a channel of a connection
 * that is open already, and nothing can go wrong with a connection that the engine closed meanwhile.
 */
import { type ClientRequest, type IncomingMessage, request as send } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { childController, untilAborted } from "#base/abort.ts";
import { type Clock, withDeadline } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import { type Dial, dialerOf, type EngineSocket } from "./dial.ts";
import { refusal, statusOf } from "./refusal.ts";

export interface EngineRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  /** Without version, each part quoted already (`encodeURIComponent`): `/containers/json`. `/libpod/…` is Podman's own. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, `application/x-tar` unless `headers` say otherwise. */
  readonly bytes?: Uint8Array | AsyncIterable<Uint8Array>;
  /** What is asked, for messages: "start of ins_1". */
  readonly what: string;
  /** Until the answer begins, for `json` until it is complete. 60 s when left out. */
  readonly timeoutMs?: number;
}

/**
 * Faults of each call: `unreachable` when the engine is not there or breaks off, `timeout`, and what the engine refuses by its
 * meaning (see refusal.ts), with details `{ status }`. An abort ends the call with its reason.
 */
export interface EngineClient {
  /** `docker` or `podman`. */
  readonly name: string;
  /** The whole answer, at most 64 MiB; undefined when it is empty. */
  json(request: EngineRequest, signal: AbortSignal): Promise<unknown>;
  /**
   * The answer's body as it comes, with back pressure, to be read once: reading it to its end, leaving the loop or the signal
   * close the connection. The signal holds until then; an abort throws its reason from the loop.
   */
  stream(request: EngineRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
  /** The engine's own wall clock, in whole seconds since the epoch: its machine's may differ from ours. */
  time(signal: AbortSignal): Promise<number>;
}

export interface EngineClientOptions {
  readonly name: string;
  readonly socket: EngineSocket;
  readonly clock: Clock;
}

const usualTimeoutMs = 60_000;
const answerLimitBytes = 64 * 2 ** 20;
const refusalLimitBytes = 64 * 1024;
/** The newest API that this code was written for. What Debian 12 has (Docker 20.10, Podman 4.3) speaks 1.41. */
const newestVersion = 47;
/** Of what Podman has beside Docker's API: all of 4 and 5 take it. */
const podmanVersion = "4.0.0";

export function openEngineClient({ name, socket, clock }: EngineClientOptions): EngineClient {
  const dial = dialerOf(socket);
  let version: string | undefined;

  const versioned = async (request: EngineRequest, signal: AbortSignal): Promise<IncomingMessage> => {
    version ??= readVersion(name, await ping(name, dial, signal));
    const spoken = request.path.startsWith("/libpod/") ? podmanVersion : version;
    try {
      return await exchange(name, dial, { ...request, path: `/v${spoken}${request.path}` }, signal);
    } catch (thrown) {
      // The engine is another one since: the next call asks which.
      if (statusOf(thrown) === 400 && /client version/.test(String(thrown))) version = undefined;
      throw thrown;
    }
  };
  const label = (request: EngineRequest) => `${name}: ${request.what}`;

  return {
    name,
    json: (request, signal) =>
      withDeadline(
        clock,
        request.timeoutMs ?? usualTimeoutMs,
        label(request),
        async (limited) => readJson(name, await versioned(request, limited), limited),
        signal,
      ),
    async stream(request, signal) {
      // The deadline is that of the answer's head; the body lives as long as the caller's signal.
      const { controller, release } = childController(signal);
      const limitMs = request.timeoutMs ?? usualTimeoutMs;
      try {
        const work = () => versioned(request, controller.signal);
        const answer = await withDeadline(clock, limitMs, label(request), work, signal);
        answer.once("close", release);
        return readBody(name, answer, signal);
      } catch (thrown) {
        controller.abort(thrown);
        release();
        throw thrown;
      }
    },
    time: (signal) =>
      withDeadline(
        clock,
        usualTimeoutMs,
        `${name}: what time it is`,
        async (limited) => {
          const { date = "" } = (await ping(name, dial, limited)).headers;
          return Math.floor((Date.parse(date) || clock.nowMs()) / 1_000);
        },
        signal,
      ),
  };
}

function readBody(name: string, answer: IncomingMessage, signal: AbortSignal): AsyncIterable<Buffer> {
  async function* read() {
    try {
      for await (const chunk of answer) yield chunk;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      throw brokenOff(name, thrown);
    } finally {
      answer.destroy();
    }
  }
  // What breaks while nobody reads is told to whoever reads next.
  answer.on("error", () => {});
  const chunks = read();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => chunks.next(),
      async return() {
        // A generator that was never begun has no `finally`.
        answer.destroy();
        return chunks.return(undefined);
      },
    }),
  };
}

async function ping(name: string, dial: Dial, signal: AbortSignal): Promise<IncomingMessage> {
  const answer = await exchange(name, dial, { method: "GET", path: "/_ping", what: "first call" }, signal);
  return answer.resume();
}

/** The version to speak: ours, or the engine's own when that is older. */
function readVersion(name: string, answer: IncomingMessage): string {
  const told = answer.headers["api-version"];
  const minor = typeof told === "string" ? /^1\.(\d+)$/.exec(told)?.[1] : undefined;
  if (minor === undefined)
    throw new Fault("unsupported", `what answers at the socket of ${name} is no container engine`, {
      hint: "Name the socket of Docker or Podman.",
    });
  return `1.${Math.min(Number(minor), newestVersion)}`;
}

/** One request over a connection of its own, until the answer's head. */
async function exchange(
  name: string,
  dial: Dial,
  request: EngineRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  signal.throwIfAborted();
  const socket = completeSocket(await untilAborted(dial(signal), signal));
  const answer = await untilAnswered(name, begin(request, socket), request, socket, signal);
  const status = answer.statusCode ?? 0;
  if (status < 400) return answer;
  const message = request.method === "HEAD" ? "" : readMessage(await readAll(name, answer, refusalLimitBytes, signal));
  throw refusal(`${name}: ${request.what}`, status, message);
}

function begin(request: EngineRequest, socket: Duplex): ClientRequest {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) query.append(key, String(value));
  const search = query.size === 0 ? "" : `?${query}`;
  return send({
    method: request.method,
    path: `${request.path}${search}`,
    headers: { host: "engine", ...bodyHeaders(request), ...request.headers },
    createConnection: () => socket,
  });
}

function bodyHeaders({ json, bytes, method }: EngineRequest): Record<string, string> {
  if (json !== undefined) return { "content-type": "application/json" };
  if (bytes !== undefined) return { "content-type": "application/x-tar" };
  return method === "POST" || method === "PUT" ? { "content-length": "0" } : {};
}

function untilAnswered(
  name: string,
  sent: ClientRequest,
  request: EngineRequest,
  socket: Duplex,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      socket.destroy();
      reject(signal.reason);
    };
    const forget = () => signal.removeEventListener("abort", giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("close", forget);
    let answered = false;
    const fail = (thrown: unknown) => {
      if (signal.aborted || answered) return;
      socket.destroy();
      reject(isFault(thrown) ? thrown : brokenOff(name, thrown));
    };
    sent.on("error", fail);
    sent.once("response", (answer) => {
      answered = true;
      resolve(answer);
    });
    if (request.json !== undefined) sent.end(JSON.stringify(request.json));
    else if (request.bytes === undefined || request.bytes instanceof Uint8Array) sent.end(request.bytes);
    // An engine may answer before it has read all, and close: its answer counts, not that it did not listen.
    else pipeline(Readable.from(request.bytes), sent).catch(fail);
  });
}

/** What Node's HTTP may ask of a socket and a channel of SSH does not have. */
export function completeSocket(socket: Duplex): Duplex {
  const none = () => socket;
  for (const method of ["setTimeout", "setNoDelay", "setKeepAlive", "ref", "unref"])
    if (!(method in socket)) Object.assign(socket, { [method]: none });
  socket.on("error", () => {});
  return socket;
}

async function readJson(name: string, answer: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const text = await readAll(name, answer, answerLimitBytes, signal);
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault("unreachable", `${name} answered with something that is no JSON`, { cause });
  }
}

async function readAll(
  name: string,
  answer: IncomingMessage,
  limitBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of readBody(name, answer, signal)) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw new Fault("unreachable", `${name} answered with more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Docker says `{ message }`, Podman `{ cause, message }`; what lies between may say anything. */
function readMessage(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed && typeof parsed.message === "string")
      return parsed.message.trim();
  } catch {
    // Text, then.
  }
  return text.trim().slice(0, 2_000);
}

/** The connection broke before the answer was complete. */
function brokenOff(name: string, cause: unknown): Fault {
  const why = cause instanceof Error && cause.message !== "" ? cause.message : "it closed the connection";
  return new Fault("unreachable", `${name} broke off: ${why}`, { cause, hint: "See whether the engine still runs." });
}
