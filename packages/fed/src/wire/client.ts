import { Fault } from "#base/fault.ts";
import { type Endpoint, fillPath, type InputOf, type OutputOf } from "./endpoint.ts";
import { readLines } from "./lines.ts";
import { faultOfProblem, problemType } from "./problem.ts";
import { readMessages } from "./sse.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:4747`. */
  readonly url: string;
  /** Shown as bearer; asked for before each request. */
  readonly token?: string | (() => Promise<string | undefined>) | undefined;
  /** Sent with each request. */
  headers?(): Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

type One = Endpoint & { readonly answer: "one" | "text" };
type Many = Endpoint & { readonly answer: "many" };
type Events = Endpoint & { readonly answer: "events" };

export interface Client {
  /** Throws the hub's Fault, or Fault `unreachable` when nobody answers. */
  call<E extends One>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): Promise<OutputOf<E>>;
  /** The lines of a stream as they come; a fault in its middle is thrown. */
  stream<E extends Many>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): AsyncIterable<OutputOf<E>>;
  /** Server-sent events as they come, until the hub or the network ends it. */
  events<E extends Events>(endpoint: E, input: InputOf<E>, signal?: AbortSignal): AsyncIterable<OutputOf<E>>;
}

/** One line of a stream on the wire. */
export type StreamLine = { readonly item: unknown } | { readonly problem: unknown };

export const streamType = "application/x-ndjson";

export function makeClient(options: ClientOptions): Client {
  return {
    async call(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Record<string, unknown>, signal);
      return readOutput(endpoint, endpoint.answer === "text" ? await response.text() : await readJson(response));
    },
    async *events(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Record<string, unknown>, signal);
      if (!response.body) return;
      for await (const message of readMessages(response.body)) {
        if (message.event === "problem") throw faultOfProblem(JSON.parse(message.data), 500);
        yield readOutput(endpoint, JSON.parse(message.data));
      }
    },
    async *stream(endpoint, input, signal) {
      const response = await send(options, endpoint, input as Record<string, unknown>, signal);
      if (!response.body) return;
      for await (const line of readLines(response.body)) {
        if (line === "") continue; // a heartbeat
        const parsed = JSON.parse(line) as StreamLine;
        if ("problem" in parsed) throw faultOfProblem(parsed.problem, 500);
        yield readOutput(endpoint, parsed.item);
      }
    },
  };
}

async function send(
  options: ClientOptions,
  endpoint: Endpoint,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { path, rest } = fillPath(endpoint.path, input);
  const url = new URL(path, options.url);
  const headers: Record<string, string> = { accept: "application/json", ...options.headers?.() };
  const token = typeof options.token === "function" ? await options.token() : options.token;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const init: RequestInit = { method: endpoint.method, headers, signal: signal ?? null };
  if (endpoint.method === "GET") {
    for (const [name, value] of Object.entries(rest))
      if (value !== undefined) url.searchParams.set(name, String(value));
  } else {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(rest);
  }
  let response: Response;
  try {
    response = await (options.fetch ?? fetch)(url, init);
  } catch (thrown) {
    if (signal?.aborted) throw signal.reason;
    throw new Fault("unreachable", `no hub answers at ${options.url}`, {
      hint: "Start one with `fed up`.",
      cause: thrown,
    });
  }
  if (!response.ok) throw faultOfProblem(await readJson(response, problemType), response.status);
  return response;
}

async function readJson(response: Response, type = "application/json"): Promise<unknown> {
  try {
    return await response.json();
  } catch (thrown) {
    if (type === problemType) return undefined;
    throw new Fault("internal", "the hub's answer is not JSON", { cause: thrown });
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
