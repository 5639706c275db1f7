import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Exchange, type ForwardNeeds } from "./exchange.ts";
import { makeHttp2Sessions } from "./http2.ts";
import { limit } from "./limit.ts";
import type { Answer, Incoming } from "./message.ts";
import { sendPage } from "./page.ts";
import { splitTarget } from "./table.ts";
import { forwardUpgrade, wantsUpgrade } from "./upgrade.ts";

/** The HTTP server of the ingress' own port and of the http doors; not listening yet. */
export interface WebServer {
  readonly server: Server;
  /** Takes a connection whose handshake is done: HTTP/2 if that was agreed upon, else HTTP/1.1. */
  enterSecure(socket: TLSSocket): void;
  /** From now on each answer is its connection's last; resolves once no request is open. */
  finish(): Promise<void>;
  /** Ends every connection. */
  cut(): void;
}

export function makeWebServer(needs: ForwardNeeds): WebServer {
  let open = 0;
  let onIdle: (() => void) | undefined;
  const leave = () => {
    open--;
    if (open === 0) onIdle?.();
  };
  const take = (request: Incoming, response: Answer, continueDue: boolean, isUnderstood: boolean) => {
    open++;
    response.once("close", leave);
    if (isUnderstood) Exchange.start(request, response, needs, continueDue);
    else
      sendPage(request, response, { kind: "badRequest", reason: "Its target is neither a path nor an http address." });
  };
  const server = createServer({
    maxHeaderSize: limit.headerSizeBytes,
    headersTimeout: limit.requestHeadMs,
    // An upload takes what it takes; the head's own limit still stands.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: limit.clientIdleMs,
    noDelay: true,
    shouldUpgradeCallback: (request) => wantsUpgrade(request) && normalise(request),
  });
  server.maxConnections = limit.clientConnections;
  for (const event of ["request", "checkContinue"] as const) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => {
      if (onIdle !== undefined) response.shouldKeepAlive = false;
      take(request, response, event === "checkContinue", normalise(request));
    });
  }
  const sessions = makeHttp2Sessions((request, answer, continueDue) => {
    take(request, answer, continueDue, request.url?.startsWith("/") ?? false);
  });
  server.on("upgrade", (request, socket: Socket, head) => forwardUpgrade(request, socket, head, needs));
  const finish = () =>
    new Promise<void>((resolve) => {
      onIdle = resolve;
      sessions.finish();
      if (open === 0) resolve();
    });
  return {
    server,
    enterSecure(socket) {
      if (socket.alpnProtocol === "h2") sessions.enter(socket);
      else server.emit("connection", socket);
    },
    finish,
    cut() {
      server.closeAllConnections();
      sessions.cut();
    },
  };
}

/** Brings a target in absolute form into the usual one, its authority in place of the Host header; false when it is neither. */
function normalise(request: IncomingMessage): boolean {
  if (request.url?.startsWith("/")) return true;
  const target = splitTarget(request.url ?? "");
  if (target === undefined) return false;
  request.url = target.path;
  request.headers.host = target.authority;
  return true;
}
