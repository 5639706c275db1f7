import type { OutgoingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { childController, untilAborted } from "#base/abort.ts";
import { type Clock, withDeadline } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Endpoint } from "#wire/endpoint.ts";
import { accessOf, actorOf, type CallContext, type Caller, type Pieces, type Refusal } from "#wire/handler.ts";
import { tellable } from "./answer-fault.ts";
import {
  type Credentials,
  type Known,
  makeCookie,
  readCaller,
  reasonToTell,
  requireAccess,
  requireOwnPage,
} from "./gate.ts";
import type { ServeLimits } from "./limit.ts";
import { beginBody, sendPacked } from "./pack.ts";
import { beginItems, type makeSeats, type Streamed, streamTypeOf, writeStream } from "./stream.ts";

/** Of what a route is made, besides its endpoint. */
export interface RouteNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  readonly limits: ServeLimits;
  readonly seats: ReturnType<typeof makeSeats>;
  /** Who has been let in; each route notes its callers. */
  readonly known: WeakMap<FastifyRequest, Known>;
  /** Connections with an upload that may take for ever: it is not a request that comes too slowly. */
  readonly uploads: WeakSet<Socket>;
  /** Aborts when the hub begins to close: ends streams. */
  readonly closing: AbortSignal;
  /** Aborts when the hub waits no longer for what is under way. */
  readonly over: AbortSignal;
  identify(credentials: Credentials): Promise<Caller>;
  recall(caller: Caller): Caller;
  checkCsrf(caller: Caller, header: string | undefined): boolean;
  refused(refusal: Refusal): void;
  /** A stream has begun. */
  streaming(request: FastifyRequest): void;
}

export type AnyHandler = (input: unknown, context: CallContext) => unknown;

/** Makes one endpoint answer: who calls and whether they may is settled before the body is read, and again after it. */
export function addRoute(
  app: FastifyInstance,
  name: string,
  endpoint: Endpoint,
  handler: AnyHandler,
  needs: RouteNeeds,
): void {
  // Those who watch whether the hub is well ask with HEAD.
  const probed = endpoint.method === "GET" && endpoint.role === "open" && ["one", "text"].includes(endpoint.answer);
  const letIn = async (request: FastifyRequest) => {
    const { caller, credentials } = await readCaller(request, needs.identify);
    try {
      requireOwnPage(request, endpoint, { caller, credentials }, needs.checkCsrf);
      requireAccess(endpoint, caller);
    } catch (thrown) {
      const reason = reasonToTell(thrown, credentials);
      const { address } = credentials;
      if (reason) needs.refused({ endpoint: name, reason, caller, address, correlation: request.id });
      throw thrown;
    }
    needs.known.set(request, { caller, credentials });
  };
  app.route({
    method: probed ? ["GET", "HEAD"] : endpoint.method,
    url: endpoint.path,
    config: { endpoint: name, answer: endpoint.answer },
    ...(endpoint.body === "bytes" ? { bodyLimit: needs.limits.bytesBodyBytes } : {}),
    onRequest: letIn,
    // Looked at again: a body takes its time, and one who was signed out or lowered meanwhile does nothing with it.
    ...(endpoint.method === "GET" ? {} : { preHandler: letIn }),
    async handler(request, reply) {
      const who = needs.known.get(request);
      if (who === undefined) throw new TypeError("a request came past the gate");
      const input = readInput(endpoint, request);
      const { answer } = endpoint;
      if (answer === "many" || answer === "events" || answer === "lines") {
        return stream(request, reply, { ...who, endpoint, answer, call: (context) => handler(input, context) }, needs);
      }
      const value = await answerOnce(
        request,
        reply,
        who,
        (context) => handler(input, withBytes(endpoint, request, context)),
        needs,
      );
      if (value === "" && answer === "prometheus") return reply.status(204).send();
      reply.type(typeOf[answer]);
      if (!isPackable(endpoint)) return reply.send(bodyOf(value, answer));
      return sendPacked(request, reply, await beginBody(bodyOf(value, answer)));
    },
  });
}

const typeOf = {
  one: "application/json; charset=utf-8",
  prometheus: "application/json",
  text: "text/plain; version=0.0.4; charset=utf-8",
} as const;

/** All but what an endpoint of `one` answers is a body already. */
function bodyOf(value: unknown, answer: "one" | "prometheus" | "text"): string | Uint8Array | Pieces {
  return answer === "one" ? JSON.stringify(value) : (value as string | Uint8Array | Pieces);
}

/** An answer with a secret stays as long as it is: its packed length could tell of it. Such are answers to deeds, and `auth`. */
function isPackable({ method, path, answer }: Endpoint): boolean {
  return answer === "prometheus" || (method === "GET" && !path.startsWith("/api/v1/auth/"));
}

function contextOf(request: FastifyRequest, reply: FastifyReply, known: Known, signal: AbortSignal): CallContext {
  const { caller, credentials } = known;
  return {
    signal,
    correlation: request.id,
    caller,
    actor: actorOf(caller),
    address: credentials.address,
    agent: (request.headers["user-agent"] ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200),
    cookie: makeCookie(request, reply),
    tell: (headers) => void reply.headers(headers),
    origin: originOf(request),
  };
}

/** Only what a name, an address and a port are made of: it may be written into a script. */
function originOf({ protocol, host }: FastifyRequest): string {
  const scheme = protocol === "https" ? "https" : "http";
  return /^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i.test(host)
    ? `${scheme}://${host}`
    : `${scheme}://unknown`;
}

async function answerOnce(
  request: FastifyRequest,
  reply: FastifyReply,
  known: Known,
  call: (context: CallContext) => unknown,
  needs: RouteNeeds,
): Promise<unknown> {
  const { controller, release } = childController(needs.over);
  const leave = () => controller.abort(new Fault("unreachable", "the caller has gone"));
  reply.raw.once("close", leave);
  try {
    return await withDeadline(
      needs.clock,
      needs.limits.answerMs,
      "the answer",
      async (signal) => call(contextOf(request, reply, known, signal)),
      controller.signal,
    );
  } finally {
    reply.raw.off("close", leave);
    release();
  }
}

interface StreamOf extends Known {
  readonly endpoint: Endpoint;
  readonly answer: Streamed;
  call(context: CallContext): unknown;
}

async function stream(request: FastifyRequest, reply: FastifyReply, of: StreamOf, needs: RouteNeeds): Promise<void> {
  const leaveSeat = needs.seats.take(seatOf(of.caller));
  const { controller, release } = childController(needs.closing);
  const leave = () => controller.abort(new Fault("unreachable", "the caller has gone"));
  reply.raw.once("close", leave);
  try {
    const context = withUpload(of.endpoint, request, reply, contextOf(request, reply, of, controller.signal), needs);
    const given = (await untilAborted(Promise.resolve(of.call(context)), controller.signal)) as AsyncIterable<unknown>;
    const items = of.answer === "many" ? await beginItems(given, needs.clock, needs.limits, controller.signal) : given;
    reply.type(streamTypeOf(of.answer)).header("x-accel-buffering", "no");
    reply.hijack();
    reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
    needs.streaming(request);
    const stillMay = () => {
      const now = needs.recall(of.caller);
      return seatOf(now) === seatOf(of.caller) && accessOf(now) === accessOf(of.caller);
    };
    await writeStream(
      reply.raw,
      {
        ...{ answer: of.answer, items, controller, trace: needs.trace },
        stillMay,
        tellable: (thrown) => tellable(thrown, { request: request.id, caller: of.caller, trace: needs.trace }),
      },
      needs.clock,
      needs.limits,
    );
  } finally {
    leaveSeat();
    reply.raw.off("close", leave);
    release();
  }
}

/** Whose streams are counted together. */
function seatOf(caller: Caller): string {
  if (caller.kind === "user") return `user:${caller.userId}`;
  if (caller.kind === "machine") return `machine:${caller.name}/${caller.joinedMs}`;
  return caller.kind === "token" ? `token:${caller.tokenId}` : caller.kind;
}

/** A form may say some of it in the query, and bytes say nothing. */
function givenTo({ method, body }: Endpoint, request: FastifyRequest): unknown {
  if (method === "GET" || body === "bytes" || body === "stream") return request.query;
  const given = request.body ?? {};
  return body === "form" && typeof given === "object" ? { ...(request.query as object), ...given } : given;
}

function withBytes(endpoint: Endpoint, { body, headers }: FastifyRequest, context: CallContext): CallContext {
  if (endpoint.body !== "bytes") return context;
  const said = headers["content-type"] ?? "";
  const type = said.split(";", 1)[0] ?? "";
  return {
    ...context,
    sent: {
      bytes: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : new Uint8Array(0),
      type: type.trim().toLowerCase(),
      parameters: said.slice(type.length + 1),
      encoding: (headers["content-encoding"] ?? "").trim().toLowerCase(),
    },
  };
}

/**
 * An upload without an end, and an answer while it lasts. Who reads it may stop before its end: what is said then must not be
 * cut off with the connection, which serves no other request.
 */
function withUpload(
  endpoint: Endpoint,
  { body, raw }: FastifyRequest,
  reply: FastifyReply,
  context: CallContext,
  { uploads }: RouteNeeds,
): CallContext {
  if (endpoint.body !== "stream") return context;
  reply.header("connection", "close");
  uploads.add(raw.socket);
  const stream = body instanceof Readable ? body : Readable.from([]);
  return { ...context, upload: { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) } };
}

function readInput(endpoint: Endpoint, request: FastifyRequest): unknown {
  const given = givenTo(endpoint, request);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new Fault("invalid", "the body is not a JSON object");
  }
  // What the path says counts: a body must not turn a deed on one thing into a deed on another.
  const input: Record<string, unknown> = { ...given, ...(request.params as object) };
  const resumed = request.headers["last-event-id"];
  if (endpoint.answer === "events" && typeof resumed === "string" && /^\d{1,15}$/.test(resumed)) input.after = resumed;
  const read = endpoint.input.safeParse(input);
  if (read.success) return read.data;
  const issues = read.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String), message }));
  const [first] = issues;
  throw new Fault("invalid", `${first?.path.join(".") || "the request"}: ${first?.message ?? "is not valid"}`, {
    details: { issues },
  });
}
