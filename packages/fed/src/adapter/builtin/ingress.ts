import type { Socket } from "node:net";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { DrainOutcome, Ingress, IngressRoute, IngressStatus } from "#port/ingress.ts";
import { makeDoors } from "./doors.ts";
import type { ForwardNeeds } from "./exchange.ts";
import { isLoopback } from "./header.ts";
import { closeServer, listen } from "./listen.ts";
import { type Incoming, isSecure } from "./message.ts";
import { forwardRaw } from "./raw.ts";
import type { LiveRoute } from "./route.ts";
import { makeSecureDoor, type SecureOptions } from "./secure.ts";
import { makeWebServer } from "./server.ts";
import { buildTable, hostName, type Table } from "./table.ts";
import { makeUpstreams } from "./upstreams.ts";

export interface BuiltinIngressOptions {
  /** Address to listen on, as 127.0.0.1. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it there is no TLS, and with that no HTTP/2. */
  readonly secure?: SecureOptions | undefined;
  readonly clock: Clock;
  readonly trace: Trace;
}

export interface BuiltinIngress extends Ingress {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Where it takes TLS; undefined while no route wants it. */
  readonly secureAddress: { readonly host: string; readonly port: number } | undefined;
  /** Takes no more connections, lets what is in flight end, and cuts off what is left at the deadline. */
  close(options: { readonly deadlineMs: number }): Promise<void>;
}

/**
 * The ingress inside fed: one thread; HTTP/1.1, and HTTP/2 over TLS. Fault `conflict` when its port is taken, `denied` when the machine
 * forbids it.
 */
export async function openBuiltinIngress(options: BuiltinIngressOptions): Promise<BuiltinIngress> {
  const { clock, trace } = options;
  const upstreams = makeUpstreams();
  let table: Table<LiveRoute> = { hosts: new Map(), doors: new Map() };
  let routes: readonly IngressRoute[] = [];
  let generation = 0;
  let closing = false;
  let turn: Promise<unknown> = Promise.resolve();

  const atDoor = ({ socket }: Incoming) => !isSecure(socket) && socket.localPort !== address.port;
  const needs: ForwardNeeds = {
    clock,
    trace,
    route(request) {
      if (atDoor(request)) return table.doors.get(request.socket.localPort ?? 0);
      const route = table.hosts.get(hostName(request.headers.host ?? ""));
      return isSecure(request.socket) && !route?.secure ? undefined : route;
    },
    explainNoRoute(request) {
      if (atDoor(request)) return { kind: "closedDoor" };
      const near = isLoopback(request.socket.remoteAddress ?? "");
      const secure = isSecure(request.socket);
      const known = near ? [...table.hosts].flatMap(([name, route]) => (route.secure || !secure ? [name] : [])) : [];
      return { kind: "unknownHost", host: hostName(request.headers.host ?? ""), known: known.sort() };
    },
  };
  const { server, enterSecure, finish, cut } = makeWebServer(needs);
  const doors = makeDoors((port, socket) => enterDoor(port, socket));
  const secure = makeSecureDoor(options.secure, { host: options.host, clock, trace, enter: enterSecure });
  const hint = "end that program, or choose another port with --ingress-port (0 takes a free one)";
  const address = await listen(server, { host: options.host, port: options.port, what: "the ingress", hint });

  function enterDoor(port: number, socket: Socket): void {
    if (table.doors.get(port)?.door === "http") server.emit("connection", socket);
    else forwardRaw(socket, { clock, trace, route: () => table.doors.get(port) });
  }

  async function switchTo(wanted: readonly IngressRoute[], signal: AbortSignal): Promise<{ generation: number }> {
    signal.throwIfAborted();
    if (closing) throw new Fault("conflict", "the ingress is closing and takes no more routes");
    const next = buildTable(wanted, (route): LiveRoute => {
      const [door, hosts] =
        route.match.kind === "door" ? [route.match.protocol, route.match.hosts] : [undefined, undefined];
      const secured = route.match.kind === "host" && route.match.tls !== undefined;
      const parts = { service: route.service, door, hosts, secure: secured };
      return { ...parts, upstreams: route.targets.map(upstreams.of), turn: 0 };
    });
    const ready = await secure.prepare(wanted);
    try {
      await doors.open(next.doors);
    } catch (thrown) {
      await ready.undo();
      throw thrown;
    }
    // From here to the end nothing waits: this is the switch.
    table = next;
    ready.commit();
    routes = wanted;
    generation++;
    doors.closeAllBut(next.doors);
    upstreams.retireAllBut([...next.hosts.values(), ...next.doors.values()].flatMap((route) => route.upstreams));
    trace.debug("routes switched", { generation, routes: wanted.length });
    return { generation };
  }

  async function close(deadlineMs: number): Promise<void> {
    closing = true;
    await turn;
    const closed = Promise.all([closeServer(server), doors.close(), secure.close()]);
    const deadline = new Promise<void>((resolve) => {
      const timer = clock.after(deadlineMs, resolve);
      Promise.all([finish(), upstreams.whenIdle()]).then(() => {
        timer.cancel();
        resolve();
      });
    });
    await deadline;
    // Connections that never asked anything, as browsers open in advance, are not waited for.
    upstreams.cut();
    cut();
    secure.cut();
    await closed;
    upstreams.retireAllBut([]);
  }

  return {
    name: "builtin",
    features: {
      tcpDoors: true,
      webSocket: true,
      http2: options.secure !== undefined,
      tls: options.secure ? ["given"] : [],
    },
    address,
    get secureAddress() {
      return secure.address;
    },
    apply(wanted, signal) {
      const mine = turn.then(() => switchTo(wanted, signal));
      turn = mine.catch(() => {});
      return mine;
    },
    async drain(instance, deadlineMs, signal): Promise<DrainOutcome> {
      if (routes.some((route) => route.targets.some((target) => target.instance === instance))) {
        throw new Fault("conflict", `instance ${instance} is still a target and cannot be drained`, {
          hint: "switch the routes first",
        });
      }
      const inFlight = await upstreams.drain(instance, clock, deadlineMs, signal);
      return inFlight === 0 ? { kind: "drained" } : { kind: "deadline", inFlight };
    },
    async status(): Promise<IngressStatus> {
      return { generation, routes, inFlight: upstreams.inFlight() };
    },
    close: ({ deadlineMs }) => close(deadlineMs),
  };
}
