import type { Socket } from "node:net";
import { type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Api } from "#wire/api.ts";
import type { Answer, Endpoint } from "#wire/endpoint.ts";
import type { Caller, Handlers, Refusal } from "#wire/handler.ts";
import { answerBadRequest, answerFault, answerInEnvelope, readRefusal, tellable } from "./answer-fault.ts";
import { takeBytes, takeForms, takeStream } from "./body.ts";
import { budgetTrace } from "./budget.ts";
import { trackConnections } from "./connection.ts";
import { type Credentials, type Known, nobody } from "./gate.ts";
import { defaultLimits, type ServeLimits } from "./limit.ts";
import { openPages, type Pages } from "./page.ts";
import { type AnyHandler, addRoute, type RouteNeeds } from "./route.ts";
import { safeHeaders } from "./safe-header.ts";
import { makeSeats } from "./stream.ts";

export interface ServeOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly trace: Trace;
  makeCorrelation(): string;
  /** Who shows these; `nobody` for what is not known or no longer good. Asked only when something is shown. */
  identify(credentials: Credentials): Promise<Caller>;
  /**
   * The same caller as they stand now; `nobody` who may no longer. Asked while a stream lasts: it may outlive the access
   * token it was begun with, but not the session.
   */
  recall(caller: Caller): Caller;
  /** Whether the header `x-csrf-token` is that of the caller's session. */
  checkCsrf(caller: Caller, header: string | undefined): boolean;
  refused(refusal: Refusal): void;
  /** Once for every request: when it is answered, or when its stream begins. */
  onRequest?(facts: RequestFacts): void;
  /** Folder of the built pages; undefined: the API only. */
  readonly pages: string | undefined;
  /** Names of endpoints whose streams go on while the hub closes, for as long as `close` is told. */
  readonly lasting?: ReadonlySet<string>;
  readonly limits?: Partial<ServeLimits>;
}

export interface RequestFacts {
  /** Name of the endpoint; `page` for what is none. */
  readonly endpoint: string;
  readonly method: string;
  /** 499 when the caller has gone before there was an answer. */
  readonly status: number;
  readonly tookMs: number;
}

export interface Served {
  readonly port: number;
  /**
   * Takes nothing new, ends streams, lets what is under way finish for some seconds, then breaks it off; the lasting streams
   * not before `until` has come.
   */
  close(until?: Promise<unknown>): Promise<void>;
}

/** Serves endpoints and the pages on one port. */
export async function serve(api: Api, handlers: Handlers, options: ServeOptions): Promise<Served> {
  return serveTable(api, handlers as unknown as Readonly<Record<string, AnyHandler>>, options);
}

/** The same for any table of endpoints; each has a handler of its name. */
export async function serveTable(
  table: Readonly<Record<string, Endpoint>>,
  handlers: Readonly<Record<string, AnyHandler>>,
  options: ServeOptions,
): Promise<Served> {
  const limits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const over = new AbortController();
  const last = new AbortController();
  /** When each began that is not told of yet. */
  const begun = new WeakMap<FastifyRequest, number>();
  const trace = budgetTrace(options.trace, options.clock, limits.tracesAMinute);
  const known = new WeakMap<FastifyRequest, Known>();
  const uploads = new WeakSet<Socket>();
  const app = makeApp(limits, { ...options, trace }, { known, uploads }, await openPages(options.pages));
  const seats = makeSeats(limits);
  const connections = trackConnections(app.server, limits);
  const report = (request: FastifyRequest, status: number) => {
    const begunMs = begun.get(request);
    if (begunMs === undefined) return;
    begun.delete(request);
    const tookMs = options.clock.tickMs() - begunMs;
    const { endpoint = "page" } = request.routeOptions.config as { readonly endpoint?: string };
    options.onRequest?.({ endpoint, method: request.method, status, tookMs });
  };
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(safeHeaders(request.id));
    begun.set(request, options.clock.tickMs());
    reply.raw.once("close", () => report(request, reply.raw.headersSent ? reply.statusCode : 499));
    if (!closing.signal.aborted) return;
    reply.header("connection", "close");
    throw closing.signal.reason;
  });
  for (const [name, endpoint] of Object.entries(table)) {
    const handler = handlers[name];
    if (handler === undefined) throw new TypeError(`the endpoint ${name} has no handler`);
    const needs: RouteNeeds = {
      ...{ clock: options.clock, trace, limits, seats, known, uploads },
      ...{ closing: (options.lasting?.has(name) ? last : closing).signal, over: over.signal },
      identify: (credentials) => options.identify(credentials),
      recall: (caller) => options.recall(caller),
      checkCsrf: (caller, header) => options.checkCsrf(caller, header),
      refused: (refusal) => options.refused(refusal),
      streaming: (request) => report(request, 200),
    };
    // Each kind of body is read only where it is expected: a form of another site could be sent anywhere else.
    if (endpoint.body === undefined) addRoute(app, name, endpoint, handler, needs);
    else {
      void app.register(async (own) => {
        if (endpoint.body === "form") takeForms(own);
        else if (endpoint.body === "bytes") takeBytes(own);
        else takeStream(own);
        addRoute(own, name, endpoint, handler, needs);
      });
    }
  }
  const port = await listen(app, options);
  return {
    port,
    async close(until = Promise.resolve()) {
      const reason = new Fault("unreachable", "the hub is closing", { hint: "Try again in a moment." });
      closing.abort(reason);
      const late = Promise.withResolvers<void>();
      const force = options.clock.after(limits.closeMs, () => {
        over.abort(reason);
        late.resolve();
      });
      void Promise.allSettled([late.promise, until]).then(() => {
        last.abort(reason);
        connections.destroy();
      });
      await connections.drain();
      force.cancel();
      await app.close();
    },
  };
}

/** Endpoints check their shapes themselves. Without this fastify would load two compilers of its own, 3 MB of memory. */
function noCompiler(): never {
  throw new TypeError("a route was given a schema of fastify's; endpoints of wire/ carry their own");
}

function makeApp(
  limits: ServeLimits,
  options: ServeOptions,
  { known, uploads }: Pick<RouteNeeds, "known" | "uploads">,
  pages: Pages,
): FastifyInstance {
  const app = fastify({
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.idleMs,
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    // A request's id is ours: one that a client sends could forge the correlation of an event.
    requestIdHeader: false,
    trustProxy: "loopback",
    genReqId: () => options.makeCorrelation(),
    routerOptions: { maxParamLength: 500, ignoreTrailingSlash: false },
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // Node looks for late requests only so often; its own 30 s would make 10 s up to 40.
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs, limits.requestTimeoutMs),
    },
    clientErrorHandler(error, socket) {
      // Node tells once of a request that takes long; one that may goes on, and who gets no bytes out of it ends it.
      if ((error as NodeJS.ErrnoException).code === "ERR_HTTP_REQUEST_TIMEOUT" && uploads.has(socket)) return;
      answerBadRequest(error, socket);
    },
    // Such requests come to no route, so no hook has seen them.
    frameworkErrors: (thrown, request, reply) => {
      reply.headers(safeHeaders(request.id));
      const { fault, status } = readRefusal(thrown) ?? { fault: toFault(thrown) };
      answerFault(reply, tellable(fault, { request: request.id, caller: nobody, trace: options.trace }), status);
    },
  });
  // A form or a plain request of another site can send text, but not JSON.
  app.removeContentTypeParser("text/plain");
  app.setErrorHandler((thrown, request, reply) => {
    // Who breaks off is told nothing, and nothing is told of it: anybody can, as often as they like.
    if (request.socket.destroyed) {
      options.trace.debug("a caller has gone", { request: request.id, reason: toFault(thrown).message });
      return void reply.hijack();
    }
    const refusal = readRefusal(thrown);
    const { caller } = known.get(request) ?? { caller: nobody };
    const asked = { request: request.id, caller, trace: options.trace };
    const { answer } = request.routeOptions.config as { readonly answer?: Answer };
    const tell = answer === "prometheus" ? answerInEnvelope : answerFault;
    return tell(reply, refusal?.fault ?? tellable(thrown, asked), refusal?.status);
  });
  app.setNotFoundHandler((request, reply) => pages.answer(request, reply));
  return app;
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
