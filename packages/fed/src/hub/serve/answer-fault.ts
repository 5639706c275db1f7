import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";
import { Fault, faultTable, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { isDiskFull } from "#disk/sqlite-fault.ts";
import type { Caller } from "#wire/handler.ts";
import { errorOfFault } from "#wire/metric.ts";
import { problemOf, problemType } from "#wire/problem.ts";

/** Answers with problem+json. `exact` where HTTP has a status that says more than the table's. */
export function answerFault(reply: FastifyReply, fault: Fault, exact?: number): FastifyReply {
  // It may come in place of an answer that was about to be sent packed.
  reply.removeHeader("content-encoding");
  const status = exact ?? faultTable[fault.code].status;
  if (fault.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
  tellWhenToRetry(reply, fault);
  return reply
    .status(status)
    .type(problemType)
    .send(JSON.stringify({ ...problemOf(fault), status }));
}

/** Answers in the envelope that clients of Prometheus read; who may not call learns it as everywhere. */
export function answerInEnvelope(reply: FastifyReply, fault: Fault, exact?: number): FastifyReply {
  if (fault.code === "unauthenticated" || fault.code === "denied") return answerFault(reply, fault, exact);
  const { status, body } = errorOfFault(fault);
  reply.removeHeader("content-encoding");
  tellWhenToRetry(reply, fault);
  return reply
    .status(exact ?? status)
    .type("application/json")
    .send(body);
}

function tellWhenToRetry(reply: FastifyReply, { details }: Fault): void {
  const { retryAfterSeconds } = (details ?? {}) as { readonly retryAfterSeconds?: unknown };
  if (typeof retryAfterSeconds === "number") reply.header("retry-after", String(Math.ceil(retryAfterSeconds)));
}

/** Who asked, under which id, and where what they may not know is told. */
export interface Asked {
  readonly request: string;
  readonly caller: Caller;
  readonly trace: Trace;
}

/** What went wrong as the caller may know it: what failed inside is told in the hub's diary only, under the same id. */
export function tellable(thrown: unknown, { request, caller, trace }: Asked): Fault {
  const fault = toFault(thrown);
  if (fault.code !== "internal") {
    if (caller.kind !== "nobody" && caller.kind !== "machine") return fault;
    return isDiskFull(thrown) ? noRoom() : withoutPlace(fault, { request, trace });
  }
  trace.error("a request failed", { request, reason: fault.message, stack: rootOf(fault).stack });
  return new Fault("internal", "the hub could not do this because of a defect of its own", {
    hint: `Its output says more, under ${request}.`,
  });
}

/** For a stranger: a full disk, without where it is. */
function noRoom(): Fault {
  return new Fault("unreachable", "the hub's disk is full", {
    hint: "Whoever runs the hub has to make room. What runs goes on, and writing resumes by itself.",
  });
}

/** For a stranger: a file or database that cannot be used, without which. */
function withoutPlace(fault: Fault, { request, trace }: Omit<Asked, "caller">): Fault {
  const { cause } = fault;
  if (!(cause instanceof Error && ("errcode" in cause || "syscall" in cause))) return fault;
  trace.warn("a request failed for the hub's data", { request, reason: fault.message });
  return new Fault(fault.code, "the hub cannot use its data", { hint: `Its output says more, under ${request}.` });
}

function rootOf(fault: Fault): Error {
  return fault.cause instanceof Error ? fault.cause : fault;
}

/** What the framework refuses, by status, where it says more than the fault's own. */
const refusals: Readonly<Record<number, string>> = {
  400: "the request cannot be read",
  413: "the body is too large",
  414: "a part of the path is too long",
  415: "the body is not application/json",
};

/** A refusal of the framework as a fault with its exact status; anything else as it was thrown. */
export function readRefusal(thrown: unknown): { readonly fault: Fault; readonly status: number } | undefined {
  if (thrown instanceof Fault || !(thrown instanceof Error)) return undefined;
  const { statusCode, code } = thrown as { readonly statusCode?: unknown; readonly code?: unknown };
  if (typeof statusCode !== "number" || typeof code !== "string" || !code.startsWith("FST_")) return undefined;
  const detail = refusals[statusCode];
  return detail === undefined
    ? undefined
    : { fault: new Fault("invalid", detail, { cause: thrown }), status: statusCode };
}

const badRequests: Readonly<Record<string, readonly [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "the head of the request is too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "the request did not come in time"],
};

/** Answers what is no HTTP request, or came too slowly; there is no route and no reply yet. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // After an answer on this connection nothing may be put in: it could be taken for a part of it.
  if (error.code === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const [status, reason, detail] = badRequests[error.code ?? ""] ?? [400, "Bad Request", "this is no HTTP request"];
  const body = JSON.stringify({ ...problemOf(new Fault("invalid", detail)), status });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: ${problemType}\r\n` +
      `x-content-type-options: nosniff\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
