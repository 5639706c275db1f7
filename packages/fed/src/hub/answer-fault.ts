import type { Socket } from "node:net";
import type { FastifyReply } from "fastify";
import { Fault, faultTable, toFault } from "#base/fault.ts";
import { problemOf, problemType } from "#wire/problem.ts";

/** Answers with problem+json. `status` where HTTP has a more exact one than the table. */
export function answerFault(reply: FastifyReply, fault: Fault, status?: number): FastifyReply {
  const { retryAfterSeconds } = (fault.details ?? {}) as { readonly retryAfterSeconds?: unknown };
  if (fault.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
  if (typeof retryAfterSeconds === "number") reply.header("retry-after", String(Math.ceil(retryAfterSeconds)));
  const problem = problemOf(fault.code === "internal" ? hidden(fault) : fault);
  return reply
    .status(status ?? faultTable[fault.code].status)
    .type(problemType)
    .send(JSON.stringify(status === undefined ? problem : { ...problem, status }));
}

/** What failed inside is told in the hub's diary, not to whoever asks. */
function hidden(fault: Fault): Fault {
  return new Fault("internal", "the hub could not do this; its output says why", { cause: fault });
}

/** Statuses of the framework that say more than the fault's own. */
const exactStatuses: readonly number[] = [400, 404, 405, 408, 411, 413, 414, 415, 431];

export function faultOfFastify(thrown: unknown): { readonly fault: Fault; readonly status?: number } {
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  if (thrown instanceof Fault || !(thrown instanceof Error) || typeof status !== "number") {
    return { fault: toFault(thrown) };
  }
  if (!exactStatuses.includes(status)) return { fault: toFault(thrown) };
  return { fault: new Fault("invalid", thrown.message, { cause: thrown }), status };
}

const badRequests: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the head of the request is too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come in time"],
};

/** Answers what is no HTTP request, or came too slowly; there is no route and no reply yet. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const [status, detail] = badRequests[error.code ?? ""] ?? [400, "this is no HTTP request"];
  const body = JSON.stringify({ ...problemOf(new Fault("invalid", detail)), status });
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 ${status} ${detail}\r\nconnection: close\r\ncontent-type: ${problemType}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
