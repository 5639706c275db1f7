import { type IncomingMessage, request as sendRequest } from "node:http";
import type { Socket } from "node:net";
import { type ForwardNeeds, hasBody } from "./exchange.ts";
import { type CodedError, failureWords, noteFailure } from "./failure.ts";
import { answerHeaders, requestHeaders } from "./header.ts";
import { limit } from "./limit.ts";
import { isSecure } from "./message.ts";
import { makePage, type PageReason } from "./page.ts";
import { pickUpstream } from "./route.ts";
import { openTunnel, openWebSocketTunnel, type Tunnel } from "./tunnel.ts";
import type { Flight, Upstream } from "./upstream.ts";

/**
 * Whether the request is to be upgraded. The rest is answered as if it had not asked, which RFC 9110 7.8 allows: an
 * upgrade with a body, and `h2c`, which would smuggle requests past the routes.
 */
export function wantsUpgrade(request: IncomingMessage): boolean {
  const protocol = request.headers.upgrade;
  return protocol !== undefined && !/(^|,)\s*h2c/i.test(protocol) && request.method === "GET" && !hasBody(request);
}

/** Forwards an upgrade (a WebSocket, mostly): its head as a request, and once the instance agrees, everything both ways. */
export function forwardUpgrade(request: IncomingMessage, client: Socket, head: Buffer, needs: ForwardNeeds): void {
  const headers = requestHeaders({
    rawHeaders: request.rawHeaders,
    host: request.headers.host ?? "",
    connection: request.headers.connection,
    remote: client.remoteAddress ?? "",
    secure: isSecure(client),
  });
  if (headers === undefined) {
    writePage(request, client, { kind: "badRequest", reason: "It has more than one Host header." });
    return;
  }
  headers.push("Connection", "Upgrade", "Upgrade", request.headers.upgrade ?? "");
  attempt({ request, client, head, headers, needs }, []);
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly client: Socket;
  /** What the client sent right behind its request. */
  readonly head: Buffer;
  readonly headers: string[];
  readonly needs: ForwardNeeds;
}

function attempt(upgrade: Upgrade, tried: readonly Upstream[], before?: CodedError): void {
  const { request, client, needs } = upgrade;
  const route = needs.route(request);
  const mayTry = route !== undefined && tried.length < limit.attempts;
  const upstream = mayTry ? pickUpstream(route, tried, needs.clock.tickMs()) : undefined;
  if (upstream === undefined) {
    writePage(request, client, route ? explainFailure(route.service, before) : needs.explainNoRoute(request));
    return;
  }
  ask(upgrade, upstream, (error, reached) => {
    if (client.destroyed) return;
    if (!reached) upstream.avoidUntilMs = needs.clock.tickMs() + limit.avoidMs;
    noteFailure(needs, route?.service ?? "", upstream, error);
    // A GET without a body may be sent again, and each attempt has a connection of its own.
    attempt(upgrade, [...tried, upstream], error);
  });
}

function explainFailure(service: string, error: CodedError | undefined): PageReason {
  return error ? { kind: "noAnswer", service, reason: failureWords(error) } : { kind: "noTargets", service };
}

/** Asks one instance; `onFailure` is called when it gives no answer at all, and says whether it was reached. */
function ask(upgrade: Upgrade, upstream: Upstream, onFailure: (error: Error, reached: boolean) => void): void {
  const { request, client, head, headers, needs } = upgrade;
  const { host, port } = upstream.target;
  let reached = false;
  const outgoing = sendRequest({ host, port, path: request.url, headers, setHost: false, agent: false });
  const waiting: Flight = { seat: -1, cut: () => void client.destroy() };
  upstream.enter(waiting);
  const tooLong = needs.clock.after(limit.upgradeMs, () => outgoing.destroy(new Error("no answer came in time")));
  const clientLeft = () => outgoing.destroy();
  const settle = () => {
    tooLong.cancel();
    client.off("close", clientLeft).off("error", clientLeft);
    outgoing.off("error", failed).on("error", () => {});
  };
  const failed = (error: Error) => {
    settle();
    upstream.leave(waiting);
    onFailure(error, reached);
  };
  client.once("close", clientLeft).once("error", clientLeft);
  outgoing.once("socket", (socket) => {
    socket.once("connect", () => {
      reached = true;
    });
  });
  outgoing.once("error", failed);
  outgoing.once("upgrade", (answer, instance, first) => {
    settle();
    const join = (ends: Tunnel): Flight => {
      const said = { ofClient: head, ofInstance: first };
      if (answer.headers.upgrade?.toLowerCase() === "websocket") return openWebSocketTunnel(ends, said, needs.clock);
      if (first.length > 0) client.write(first);
      if (head.length > 0) instance.write(head);
      return openTunnel(ends);
    };
    client.write(writeHead(answer, ["Connection", "Upgrade", "Upgrade", answer.headers.upgrade ?? ""]));
    const flight = join({ client, instance, onEnd: () => upstream.leave(flight) });
    upstream.enter(flight);
    upstream.leave(waiting);
  });
  outgoing.once("response", (answer) => {
    settle();
    passRefusal(client, answer, () => upstream.leave(waiting));
  });
  outgoing.end();
}

/** An answer that is no upgrade (401, 404…), framed by the end of the connection. */
function passRefusal(client: Socket, answer: IncomingMessage, onEnd: () => void): void {
  client.on("error", () => answer.destroy());
  client.once("close", () => answer.destroy());
  answer.on("error", () => client.destroy());
  answer.once("close", onEnd);
  client.write(writeHead(answer, ["Connection", "close"]));
  answer.pipe(client);
}

function writeHead(answer: IncomingMessage, own: readonly string[]): string {
  const headers = [...answerHeaders(answer.rawHeaders, answer.headers.connection), ...own];
  return headText(answer.statusCode ?? 502, answer.statusMessage ?? "", headers);
}

function headText(status: number, message: string, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** A page straight onto the connection: its HTTP parser is gone once an upgrade has begun. */
function writePage(request: IncomingMessage, client: Socket, reason: PageReason): void {
  const page = makePage(reason, request.headers.accept);
  client.on("error", () => client.destroy());
  client.end(headText(page.status, "", [...page.headers, "Connection", "close"]) + page.body);
}
