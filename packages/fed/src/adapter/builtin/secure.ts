import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { GivenCertificate, IngressRoute } from "#port/ingress.ts";
import { limit } from "./limit.ts";
import { closeServer, listen } from "./listen.ts";
import { hostName } from "./table.ts";

/** How the ingress takes TLS. Both are asked again every now and then, so that new files and another port take effect. */
export interface SecureOptions {
  /** 0 takes a free one. */
  port(): number;
  /** Fault when they cannot be had. */
  certificates(): Promise<readonly GivenCertificate[]>;
}

/** The listener for TLS: open while a route wants it. */
export interface SecureDoor {
  readonly address: Address | undefined;
  /** Has all that these routes need; nothing is served otherwise until `commit`. Fault as `Ingress.apply`. */
  prepare(routes: readonly IngressRoute[]): Promise<{ commit(): void; undo(): Promise<void> }>;
  /** Takes no more connections; resolves once the last one is closed. */
  close(): Promise<void>;
  /** Ends every connection, also one that never said anything. */
  cut(): void;
}

export interface SecureNeeds {
  readonly host: string;
  readonly clock: Clock;
  readonly trace: Trace;
  /** A connection whose handshake is done. */
  enter(socket: TLSSocket): void;
}

type Address = { readonly host: string; readonly port: number };

interface Chain {
  readonly leaf: X509Certificate;
  readonly context: SecureContext;
}

interface Listener {
  readonly server: Server;
  readonly address: Address;
  readonly wantedPort: number;
}

interface State {
  /** Of the routes that are served with TLS, with their services. */
  readonly names: ReadonlyMap<string, string>;
  readonly text: string;
  readonly chains: readonly Chain[];
  readonly listener: Listener | undefined;
}

const closed: State = { names: new Map(), text: "", chains: [], listener: undefined };

export function makeSecureDoor(options: SecureOptions | undefined, needs: SecureNeeds): SecureDoor {
  const { clock, trace } = needs;
  const sockets = new Set<Socket>();
  const leaving = new Set<Promise<void>>();
  let state = closed;
  let timer: Timer | undefined;
  let warned = "";

  async function openListener(wantedPort: number): Promise<Listener> {
    const server = createServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: limit.handshakeMs,
      noDelay: true,
      SNICallback: (name, answer) => answer(null, contextFor(state.chains, hostName(name), clock.nowMs())),
    });
    server.maxConnections = limit.clientConnections;
    server.on("connection", (socket) => void sockets.add(socket.once("close", () => sockets.delete(socket))));
    server.on("secureConnection", needs.enter);
    const hint = "end that program, or give builtin({ … }) another httpsPort in lab.ts";
    const place = { host: needs.host, port: wantedPort, what: "the ingress' TLS", hint };
    return { server, wantedPort, address: await listen(server, place) };
  }

  function leave(listener: Listener | undefined): void {
    if (listener === undefined) return;
    const gone = closeServer(listener.server).then(() => void leaving.delete(gone));
    leaving.add(gone);
  }

  /** What these names need; an open listener and certificates that are still the same are used again. */
  async function load({ port, certificates }: SecureOptions, names: State["names"]): Promise<State> {
    const given = await certificates();
    const text = JSON.stringify(given);
    const chains = text === state.text ? state.chains : given.map(readChain);
    for (const [name, service] of names) checkName(name, service, chains);
    const wantedPort = port();
    const kept = state.listener?.wantedPort === wantedPort ? state.listener : undefined;
    return { names, text, chains, listener: kept ?? (await openListener(wantedPort)) };
  }

  function commit(next: State): void {
    const before = state.listener;
    state = next;
    if (before !== next.listener) leave(before);
    timer?.cancel();
    timer = next.listener && clock.after(limit.certificateLookMs, () => void look(next));
  }

  /** Takes what has changed in the files; what cannot be taken leaves all as it was, and is said once. */
  async function look(seen: State): Promise<void> {
    try {
      const next = options === undefined ? seen : await load(options, seen.names);
      if (state !== seen) {
        if (next.listener !== seen.listener) leave(next.listener);
        return;
      }
      if (next.text !== seen.text) trace.info("certificates read again", { certificates: next.chains.length });
      warned = "";
      commit(next);
    } catch (thrown) {
      const { message } = toFault(thrown);
      if (state !== seen) return;
      if (message !== warned) trace.warn("certificates are kept as they were", { error: message });
      warned = message;
      commit(seen);
    }
  }

  return {
    get address() {
      return state.listener?.address;
    },
    async prepare(routes) {
      const names = securedNames(routes);
      if (names.size === 0) return { commit: () => commit(closed), undo: async () => {} };
      if (options === undefined) throw new Fault("unsupported", "this ingress was opened without TLS");
      const next = await load(options, names);
      return {
        commit: () => commit(next),
        async undo() {
          if (next.listener && next.listener !== state.listener) await closeServer(next.listener.server);
        },
      };
    },
    async close() {
      commit(closed);
      await Promise.all(leaving);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Host names that are to be served with TLS, with their services. Fault `unsupported` for certificates that it would have to make. */
function securedNames(routes: readonly IngressRoute[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { match, service } of routes) {
    if (match.kind !== "host" || match.tls === undefined) continue;
    if (match.tls.kind !== "given") {
      throw new Fault("unsupported", `fed's own ingress makes no certificates, and ${service} wants one`, {
        hint: 'Give it one: tls: "given", with certificates in builtin({ … }); or use caddy({ … }).',
      });
    }
    names.set(hostName(match.host), service);
  }
  return names;
}

function checkName(name: string, service: string, chains: readonly Chain[]): void {
  if (chains.some(({ leaf }) => leaf.checkHost(name) !== undefined)) return;
  throw new Fault("missing", `no given certificate is for ${name}, the host name of ${service}`, {
    hint: "Give the ingress one for this name: builtin({ certificates: [...] }) at the hub's machine.",
  });
}

/** The first certificate for the name, by preference one whose time it is. */
function contextFor(chains: readonly Chain[], name: string, nowMs: number): SecureContext | undefined {
  const matching = chains.filter(({ leaf }) => leaf.checkHost(name) !== undefined);
  const inTime = matching.find(({ leaf }) => Date.parse(leaf.validFrom) <= nowMs && nowMs <= Date.parse(leaf.validTo));
  return (inTime ?? matching[0])?.context;
}

function readChain({ certificate, key }: GivenCertificate): Chain {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch (cause) {
    throw new Fault("invalid", "a given certificate is no PEM certificate", { cause });
  }
  const names = leaf.subjectAltName ?? leaf.subject;
  try {
    return { leaf, context: createSecureContext({ cert: certificate, key }) };
  } catch {
    // Without the cause: what it says may quote the key.
    throw new Fault("invalid", `the key given for ${names} is no PEM key, or is not that of its certificate`);
  }
}
