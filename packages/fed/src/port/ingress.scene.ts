/** What the ingress suite plays with: small real servers as instances, and plain clients that count what they get. */

import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import {
  type Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
} from "node:http";
import { type AddressInfo, createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import type { Ingress, IngressRoute, RouteTarget } from "./ingress.ts";

/** Where requests are sent. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Ends everything that was started with it, last first. */
export interface Stage {
  onEnd(end: () => unknown): void;
  end(): Promise<void>;
}

/**
 * What an ingress does not do as it should, because the product it drives does not: told for each version of it, and what would
 * test it is left out.
 */
export type Shortcoming =
  /** It has no doors that pass bytes through. Its features say so, too. */
  | "tcp doors"
  /** An answer that begins before its request has ended breaks the request off. */
  | "duplex"
  /** A request with a body is not sent to another instance when the first one refuses connections. */
  | "second try with a body"
  /** An answer in chunks that breaks off reaches the client as a complete one. */
  | "broken chunks"
  /** Upgraded connections end when host names or doors come or go. */
  | "upgrades over new names"
  /** Idle connections, those of HTTP/2 with a GOAWAY, end when host names, doors or certificates come or go. */
  | "connections over new names";

/** What each test of the suite finds. */
export interface Given {
  readonly stage: Stage;
  readonly ingress: Ingress;
  readonly address: Place;
  /** Known before the tests are made, unlike the rest. */
  readonly shortcomings: readonly Shortcoming[];
  /** Switches to exactly these routes. */
  readonly apply: (...routes: readonly IngressRoute[]) => Promise<{ readonly generation: number }>;
}

export const never = new AbortController().signal;

/** A route by host name; its service is `dev/` and the name's first label. */
export function host(hostName: string, ...targets: readonly RouteTarget[]): IngressRoute {
  return { match: { kind: "host", host: hostName }, service: `dev/${hostName.split(".")[0]}`, targets };
}

export function door(port: number, protocol: "http" | "tcp", ...targets: readonly RouteTarget[]): IngressRoute {
  return { match: { kind: "door", port, protocol }, service: `dev/door${port}`, targets };
}

export function makeStage(): Stage {
  const ends: (() => unknown)[] = [];
  return {
    onEnd: (end) => void ends.push(end),
    async end() {
      for (const end of ends.reverse()) await end();
    },
  };
}

export interface Instance extends RouteTarget {
  readonly server: Server;
}

/** A web server on a free port that plays the instance `id`. */
export async function startInstance(stage: Stage, id: string, answer: RequestListener): Promise<Instance> {
  const server = createServer(answer);
  await listenAnywhere(server);
  stage.onEnd(() => stop(server));
  return { instance: id, host: "127.0.0.1", port: portOf(server), server };
}

/** An instance that says its own name. */
export function startNamed(stage: Stage, id: string): Promise<Instance> {
  return startInstance(stage, id, (_, response) => response.end(id));
}

/** Stops it as a stopping instance does, and waits until it is gone. */
export async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

/** A raw TCP server on a free port that plays the instance `id`. */
export async function startRaw(stage: Stage, id: string, serve: (socket: Socket) => void): Promise<RouteTarget> {
  const sockets = new Set<Socket>();
  const server = createRawServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    serve(socket);
  });
  await listenAnywhere(server);
  stage.onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { instance: id, host: "127.0.0.1", port: portOf(server) };
}

async function listenAnywhere(server: RawServer): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

export function portOf(server: RawServer): number {
  return (server.address() as AddressInfo).port;
}

/** A port nothing listens on. */
/** Out of a range from which nobody is given a port by chance: neither the kernel's own, nor that of services, nor that of doors. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    const server = createRawServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** One request for `host`, its answer read to the end. */
export async function ask(place: Place, host: string, asked: Asked = {}): Promise<Answered> {
  const answer = await openRequest(place, host, asked);
  const body = await text(answer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, trailers: answer.trailers, body };
}

/** One request for `host` as far as the answer's head; the body is the caller's to read. */
export async function openRequest(place: Place, host: string, asked: Asked = {}): Promise<IncomingMessage> {
  const outgoing = request({
    ...place,
    method: asked.method ?? "GET",
    path: asked.path ?? "/",
    headers: { ...asked.headers, host },
    agent: asked.agent ?? false,
  });
  outgoing.end(asked.body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return answer;
}

/** Makes this server speak WebSocket: every short text comes back. */
export function echoWebSocket(server: Server): void {
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
    const key = `${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
    socket.on("data", (frame: Buffer) => {
      const echo = Buffer.from(frame);
      const size = (frame[1] ?? 0) & 0x7f;
      const mask = frame.subarray(2, 6);
      const payload = echo.subarray(6, 6 + size).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
      const answer = Buffer.concat([Buffer.from([frame[0] ?? 0, size]), payload]);
      const isClose = ((frame[0] ?? 0) & 0x0f) === 8;
      if (isClose) socket.end(answer);
      else socket.write(answer);
    });
  });
}

/** A promise to be kept from outside. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
