import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Exchange, type ForwardNeeds } from "./exchange.ts";
import { limit } from "./limit.ts";
import { sendPage } from "./page.ts";
import { splitTarget } from "./table.ts";
import { forwardUpgrade, wantsUpgrade } from "./upgrade.ts";

/** The HTTP server of the ingress' own port and of the http doors; not listening yet. */
export interface WebServer {
  readonly server: Server;
  /** From now on each answer is its connection's last; resolves once no request is open. */
  finish(): Promise<void>;
}

export function makeWebServer(needs: ForwardNeeds): WebServer {
  let open = 0;
  let onIdle: (() => void) | undefined;
  const leave = () => {
    open--;
    if (open === 0) onIdle?.();
  };
  const take = (request: IncomingMessage, response: ServerResponse, continueDue: boolean) => {
    open++;
    response.once("close", leave);
    if (onIdle !== undefined) response.shouldKeepAlive = false;
    if (normalise(request)) Exchange.start(request, response, needs, continueDue);
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
  server.on("request", (request, response) => take(request, response, false));
  server.on("checkContinue", (request, response) => take(request, response, true));
  server.on("upgrade", (request, socket: Socket, head) => forwardUpgrade(request, socket, head, needs));
  const finish = () =>
    new Promise<void>((resolve) => {
      onIdle = resolve;
      if (open === 0) resolve();
    });
  return { server, finish };
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
