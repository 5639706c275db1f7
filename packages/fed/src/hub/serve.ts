import { type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Api } from "#wire/api.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import { actorOf, type CallContext, type Caller, type Handlers } from "#wire/handler.ts";
import { answerBadRequest, answerFault, faultOfFastify } from "./answer-fault.ts";
import { type Credentials, credentialsOf, makeCookie, requireAccess, requireSameSite } from "./gate.ts";
import { servePages } from "./page.ts";
import { setSafeHeaders } from "./safe-header.ts";
import { makeStreams, type Streams } from "./stream.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly trace: Trace;
  makeCorrelation(): string;
  /** Who shows these; `nobody` for what is not known or no longer good. Never throws for bad input. */
  identify(credentials: Credentials): Promise<Caller>;
  /** Whether the header `x-csrf-token` is that of the caller's session. */
  checkCsrf(caller: Caller, header: string | undefined): boolean;
  /** Somebody known was refused. */
  refused(refusal: Refusal): void;
  onRequest?(facts: RequestFacts): void;
  /** Folder of the built pages; undefined: the API only. */
  readonly pages: string | undefined;
  readonly limits?: Partial<ServeLimits>;
}

export interface Refusal {
  readonly endpoint: string;
  readonly reason: string;
  readonly caller: Caller;
  readonly address: string;
}

export interface RequestFacts {
  /** Name of the endpoint; `page` for what is none. */
  readonly endpoint: string;
  readonly status: number;
  readonly tookMs: number;
}

export interface ServeLimits {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** To send the head of a request; against who sends a letter at a time. */
  readonly headersTimeoutMs: number;
  /** To send a whole request. */
  readonly requestTimeoutMs: number;
  readonly connections: number;
  readonly streams: number;
  /** How long a reader of a stream may take nothing before it is cut off. */
  readonly slowReaderMs: number;
  readonly heartbeatMs: number;
  /** What is under way may take so long to finish when the hub closes. */
  readonly closeMs: number;
}

const defaultLimits: ServeLimits = {
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  connections: 2_000,
  streams: 500,
  slowReaderMs: 10_000,
  heartbeatMs: 15_000,
  closeMs: 4_000,
};

export interface Served {
  readonly port: number;
  /** Lets what is under way finish, ends streams, then everything. */
  close(): Promise<void>;
}

interface Frame {
  readonly options: ServeOptions;
  readonly closing: AbortSignal;
  readonly streams: Streams;
}

/** Serves the endpoints of the table, and the pages, on one port. */
export async function serve(api: Api, handlers: Handlers, options: ServeOptions): Promise<Served> {
  const limits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const app = makeApp(limits, options);
  const streams = makeStreams({ clock: options.clock, ...limits });
  app.addHook("onRequest", async (request, reply) => {
    setSafeHeaders(reply, request.id);
  });
  app.addHook("onResponse", async (request, reply) => {
    const { endpoint = "page" } = request.routeOptions.config as { endpoint?: string };
    options.onRequest?.({ endpoint, status: reply.statusCode, tookMs: reply.elapsedTime });
  });
  app.setErrorHandler((thrown, request, reply) => {
    const { fault, status } = faultOfFastify(thrown);
    if (fault.code === "internal") {
      options.trace.error("a request failed", { request: request.id, reason: fault.message, stack: fault.stack });
    }
    return answerFault(reply, fault, status);
  });
  for (const name of Object.keys(api) as (keyof Api)[]) {
    addRoute(app, name, api[name], handlers[name] as AnyHandler, { options, closing: closing.signal, streams });
  }
  await servePages(app, options.pages);
  const port = await listen(app, options);
  app.server.maxConnections = limits.connections;
  return {
    port,
    async close() {
      closing.abort(new Fault("unreachable", "the hub is closing", { hint: "Try again in a moment." }));
      const timer = options.clock.after(limits.closeMs, () => app.server.closeAllConnections());
      await app.close();
      timer.cancel();
    },
  };
}

function makeApp(limits: ServeLimits, options: ServeOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: 65_000,
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    // A request id is ours: what a client sends could forge the correlation of an event.
    requestIdHeader: false,
    genReqId: () => options.makeCorrelation(),
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    },
    clientErrorHandler: answerBadRequest,
    frameworkErrors: (error, _request, reply) => {
      const { fault, status } = faultOfFastify(error);
      setSafeHeaders(reply, "");
      answerFault(reply, fault, status);
    },
  });
  app.removeContentTypeParser("text/plain");
  return app;
}

type AnyHandler = (input: unknown, context: CallContext) => unknown;

function addRoute(app: FastifyInstance, name: string, endpoint: Endpoint, handler: AnyHandler, frame: Frame): void {
  const { options, closing, streams } = frame;
  app.route({
    method: endpoint.method,
    url: endpoint.path,
    config: { endpoint: name },
    handler: async (request, reply) => {
      const credentials = credentialsOf(request);
      const caller = await options.identify(credentials);
      const refuse = (reason: string) =>
        options.refused({ endpoint: name, reason, caller, address: credentials.address });
      requireSameSite(request, endpoint, caller, options.checkCsrf, refuse);
      requireAccess(endpoint, caller, refuse);
      const input = readInput(endpoint, request);
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort(new Error("the caller has gone")));
      const answer = handler(input, {
        signal: AbortSignal.any([gone.signal, closing]),
        correlation: request.id,
        caller,
        actor: actorOf(caller),
        address: credentials.address,
        agent: (request.headers["user-agent"] ?? "").slice(0, 200),
        cookie: makeCookie(reply),
      });
      if (endpoint.answer === "one") return answer;
      if (endpoint.answer === "text") return reply.type("text/plain; version=0.0.4; charset=utf-8").send(await answer);
      // Who was signed out, or may no longer do this, hears no more of it.
      const stillMay = async () => {
        try {
          requireAccess(endpoint, await options.identify(credentials), () => undefined);
          return true;
        } catch {
          return false;
        }
      };
      return streams.send(reply, endpoint.answer, answer as AsyncIterable<unknown>, stillMay);
    },
  });
}

function readInput(endpoint: Endpoint, request: FastifyRequest): unknown {
  const given = endpoint.method === "GET" ? request.query : (request.body ?? {});
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new Fault("invalid", "the body is not a JSON object");
  }
  // What the path says counts: a body must not turn a deed on one thing into a deed on another.
  const input: Record<string, unknown> = { ...given, ...(request.params as object) };
  const resumed = request.headers["last-event-id"];
  if (endpoint.answer === "events" && typeof resumed === "string" && /^\d{1,15}$/.test(resumed)) input.after = resumed;
  const read = endpoint.input.safeParse(input);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Fault("invalid", `${issue?.path.join(".") || "the request"}: ${issue?.message ?? "is not valid"}`, {
    details: {
      issues: read.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String), message })),
    },
  });
}

async function listen(app: FastifyInstance, { host, port }: ServeOptions): Promise<number> {
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
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
