import { timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import { type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "#base/clock.ts";
import { Fault, faultTable, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Api } from "#wire/api.ts";
import { streamType } from "#wire/client.ts";
import type { Endpoint, OutputOf, ParsedOf } from "#wire/endpoint.ts";
import { problemOf, problemType } from "#wire/problem.ts";

/** Who calls, until when. */
export interface CallContext {
  /** Aborts when the caller has gone or the hub closes. */
  readonly signal: AbortSignal;
  /** Of this request; on every event it leads to. */
  readonly correlation: string;
}

type Handler<E extends Endpoint> = E extends { readonly answer: "many" }
  ? (input: ParsedOf<E>, context: CallContext) => AsyncIterable<OutputOf<E>>
  : (input: ParsedOf<E>, context: CallContext) => Promise<OutputOf<E>> | OutputOf<E>;

/** One handler for every endpoint: a missing one is a compile error. */
export type Handlers = { readonly [K in keyof Api]: Handler<Api[K]> };

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly token: string;
  readonly clock: Clock;
  readonly trace: Trace;
  makeCorrelation(): string;
}

export interface Served {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const bodyLimitBytes = 1024 * 1024;
const heartbeatMs = 15_000;

/** Serves the endpoints of the table on one port. */
export async function serve(api: Api, handlers: Handlers, options: ServeOptions): Promise<Served> {
  const app = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: "idle", requestTimeout: 30_000 });
  const closing = new AbortController();
  app.setErrorHandler((thrown, _request, reply) => answerFault(reply, faultOfFastify(thrown), options.trace));
  app.setNotFoundHandler((request, reply) =>
    answerFault(reply, new Fault("missing", `nothing is served at ${request.method} ${request.url}`), options.trace),
  );
  for (const name of Object.keys(api) as (keyof Api)[]) {
    const endpoint: Endpoint = api[name];
    const handler = handlers[name] as (input: unknown, context: CallContext) => unknown;
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      handler: async (request, reply) => {
        if (endpoint.access === "token") requireToken(request, options.token);
        const input = readInput(endpoint, request);
        const gone = new AbortController();
        reply.raw.once("close", () => gone.abort(new Error("the caller has gone")));
        const signal = AbortSignal.any([gone.signal, closing.signal]);
        const answer = handler(input, { signal, correlation: options.makeCorrelation() });
        if (endpoint.answer === "one") return answer;
        return reply.type(streamType).send(Readable.from(encode(answer as AsyncIterable<unknown>, options.clock)));
      },
    });
  }
  const port = await listen(app, options);
  return {
    host: options.host,
    port,
    async close() {
      closing.abort(new Fault("unreachable", "the hub is closing"));
      await app.close();
    },
  };
}

async function listen(app: ReturnType<typeof fastify>, { host, port }: ServeOptions): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    await app.close();
    if (code === "EADDRINUSE") {
      throw new Fault("conflict", `port ${port} of ${host} is in use`, {
        hint: "Another hub may run there (`fed status`); choose another with --port, or --port 0 for a free one.",
        cause: thrown,
      });
    }
    if (code === "EACCES") {
      throw new Fault("denied", `this user may not listen on port ${port}`, {
        hint: "Choose one above 1023 with --port.",
        cause: thrown,
      });
    }
    throw new Fault("invalid", `cannot listen on ${host}:${port}`, {
      hint: "--host takes an address of this machine.",
      cause: thrown,
    });
  }
  return app.addresses()[0]?.port ?? port;
}

function requireToken(request: FastifyRequest, token: string): void {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new Fault("denied", "the hub does not know this caller", {
    hint: "Use --data with the hub's data folder, or set FED_TOKEN to the content of its file `token`.",
  });
}

function readInput(endpoint: Endpoint, request: FastifyRequest): unknown {
  const parts = [request.params, endpoint.method === "GET" ? request.query : request.body];
  const input = endpoint.input.safeParse(Object.assign({}, ...parts));
  if (input.success) return input.data;
  const [issue] = input.error.issues;
  throw new Fault("invalid", `${issue?.path.join(".") || "the request"}: ${issue?.message ?? "is not valid"}`);
}

function faultOfFastify(thrown: unknown): Fault {
  const status = (thrown as { statusCode?: unknown }).statusCode;
  const known = typeof status === "number" && status >= 400 && status < 500;
  return known && thrown instanceof Error ? new Fault("invalid", thrown.message, { cause: thrown }) : toFault(thrown);
}

function answerFault(reply: FastifyReply, fault: Fault, trace: Trace): FastifyReply {
  if (fault.code === "internal") trace.error("a request failed", { reason: fault.message });
  return reply
    .status(faultTable[fault.code].status)
    .type(problemType)
    .send(JSON.stringify(problemOf(fault)));
}

/** JSON lines; an empty one as a heartbeat, so that nobody between takes a quiet stream for a dead one. */
async function* encode(items: AsyncIterable<unknown>, clock: Clock): AsyncIterable<string> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const beat = Promise.withResolvers<undefined>();
      const timer = clock.after(heartbeatMs, () => beat.resolve(undefined));
      const result = await Promise.race([next, beat.promise]).finally(() => timer.cancel());
      if (result === undefined) yield "\n";
      else if (result.done) return;
      else {
        yield `${JSON.stringify({ item: result.value })}\n`;
        next = iterator.next();
      }
    }
  } catch (thrown) {
    yield `${JSON.stringify({ problem: problemOf(toFault(thrown)) })}\n`;
  } finally {
    await iterator.return?.();
  }
}
