import { type Clock, systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { type Body, type Endpoint, fillPath, type InputOf, type OutputOf } from "./endpoint.ts";
import { readLines } from "./lines.ts";
import { faultOfProblem } from "./problem.ts";
import { readSse, sseType } from "./sse.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:4747`; in a page, `location.origin`. */
  readonly url: string;
  /** Sent as `authorization: Bearer …`. A function is asked before every request; undefined sends none. */
  readonly token?: string | (() => Promise<string | undefined>) | undefined;
  /** More headers, asked for before every request: `x-csrf-token` in a page. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** The global one when left out. */
  readonly fetch?: Fetch | undefined;
  /** For tests; the machine's otherwise. */
  readonly clock?: Clock;
}

/** What is asked of `fetch`. */
export interface Asked {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | null;
  /** An API never moves, and a token is not carried to where a redirect says. */
  readonly redirect: "error";
}

/** What is used of an answer; a `Response` is one. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: { getReader(): AnswerReader } | null;
  text(): Promise<string>;
}

interface AnswerReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(): Promise<void>;
}

export type Fetch = (url: URL, asked: Asked) => Promise<Answer>;

type Call = Endpoint & { readonly answer: "one" | "text" | "prometheus" };
type Taking = Endpoint & { readonly answer: "one"; readonly body?: Body };
type Many = Endpoint & { readonly answer: "many" };
type Events = Endpoint & { readonly answer: "events" };

/** What the body is, and of which Content-Type. */
export interface Bytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** Throws the hub's Fault, Fault `unreachable` when nobody answers, and the signal's reason when it aborts. */
export interface Client {
  call<E extends Call>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): Promise<OutputOf<E>>;
  /** A call whose body is bytes, for an endpoint that takes some. */
  send<E extends Taking>(endpoint: E, input: InputOf<E>, sent: Bytes, signal?: AbortSignal): Promise<OutputOf<E>>;
  /** The lines of a stream as they come; a fault in its middle is thrown. */
  stream<E extends Many>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): AsyncIterable<OutputOf<E>>;
  /**
   * One connection's server-sent events. Ends when the hub ends it; throws Fault `unreachable` when the connection breaks
   * or is silent for too long. Who wants to go on calls again, with the sequence of the last event as `after`.
   */
  events<E extends Events>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): AsyncIterable<OutputOf<E>>;
}

/** One line of a stream on the wire. */
export type StreamLine = { readonly item: unknown } | { readonly problem: unknown };

export const streamType = "application/x-ndjson";

/** The hub sends a heartbeat every 15 s: after three that did not come, nobody is there any more. */
const silenceMs = 45_000;

export function makeClient(options: ClientOptions): Client {
  const clock = options.clock ?? systemClock;
  return {
    async call(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Input, signal);
      const text = await readText(response, signal);
      if (response.status === 204) return readOutput(endpoint, undefined);
      return readOutput(endpoint, endpoint.answer === "text" ? text : parseJson(text));
    },
    async send(endpoint, input, sent, signal) {
      const response = await send(options, endpoint, input as Input, signal, sent);
      return readOutput(endpoint, parseJson(await readText(response, signal)));
    },
    async *stream(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Input, signal);
      for await (const line of readLines(readBytes(response, clock, signal))) {
        if (line === "") continue; // a heartbeat
        const parsed = parseJson(line) as StreamLine;
        if ("problem" in parsed) throw faultOfProblem(parsed.problem, 500);
        yield readOutput(endpoint, parsed.item);
      }
    },
    async *events(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Input, signal);
      for await (const { data } of readSse(readBytes(response, clock, signal)))
        yield readOutput(endpoint, parseJson(data));
    },
  };
}

type Input = Readonly<Record<string, unknown>>;

const accepted: Readonly<Record<Endpoint["answer"], string>> = {
  one: "application/json",
  many: streamType,
  events: sseType,
  text: "text/plain",
  prometheus: "application/json",
  lines: "text/plain",
};

async function send(
  options: ClientOptions,
  endpoint: Endpoint,
  input: Input,
  signal: AbortSignal | undefined,
  sent?: Bytes,
): Promise<Answer> {
  const { path, rest } = fillPath(endpoint.path, input);
  const url = new URL(path, options.url);
  const token = typeof options.token === "function" ? await options.token() : options.token;
  const headers: Record<string, string> = { accept: accepted[endpoint.answer], ...options.headers?.() };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (endpoint.method === "GET" || sent !== undefined) {
    for (const [name, value] of Object.entries(rest))
      if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const body = sent?.bytes ?? (endpoint.method === "POST" ? JSON.stringify(rest) : undefined);
  if (body !== undefined) headers["content-type"] = sent?.type ?? "application/json";
  const asked = { method: endpoint.method, headers, signal: signal ?? null, redirect: "error" } as const;
  let response: Answer;
  try {
    response = await (options.fetch ?? fetch)(url, body === undefined ? asked : { ...asked, body });
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw new Fault("unreachable", `no hub answers at ${options.url}`, {
      hint: "Start one with `fed up`.",
      cause: thrown,
    });
  }
  if (!response.ok) throw faultOfProblem(parseProblem(await readText(response, signal)), response.status);
  return response;
}

/** The bytes of an answer that may take for ever, as long as something comes. Cancels the answer when the reader stops. */
async function* readBytes(
  response: Answer,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const silence = Promise.withResolvers<never>();
      const timer = clock.after(silenceMs, () => silence.reject(new Error(`nothing came for ${silenceMs} ms`)));
      const chunk = await Promise.race([reader.read(), silence.promise]).finally(() => timer.cancel());
      if (chunk.done || chunk.value === undefined) return;
      yield chunk.value;
    }
  } catch (thrown) {
    throw brokenOff(thrown, signal);
  } finally {
    // Not awaited: a connection that is dead does not say so.
    reader.cancel().catch(() => undefined);
  }
}

async function readText(response: Answer, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (thrown) {
    throw brokenOff(thrown, signal);
  }
}

function brokenOff(thrown: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return new Fault("unreachable", "the connection to the hub broke off", {
    hint: "See whether it still runs with `fed status`.",
    cause: thrown,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Fault("internal", "the hub's answer is not JSON", { cause: thrown });
  }
}

/** What stands between may answer with a page of its own: then the status has to do. */
function parseProblem(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readOutput<E extends Endpoint>(endpoint: E, value: unknown): OutputOf<E> {
  const parsed = endpoint.output.safeParse(value);
  if (parsed.success) return parsed.data as OutputOf<E>;
  throw new Fault("internal", `the hub's answer to ${endpoint.path} has another shape than this version expects`, {
    hint: "Use the same version of fed here and there.",
    cause: parsed.error,
  });
}
