import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { type Clock, systemClock } from "#base/clock.ts";
import { silentTrace, type Trace } from "#base/trace.ts";
import { type Endpoint, endpoint } from "#wire/endpoint.ts";
import type { Caller, Refusal } from "#wire/handler.ts";
import type { Role } from "#wire/role.ts";
import type { Credentials } from "./gate.ts";
import type { ServeLimits } from "./limit.ts";
import type { AnyHandler } from "./route.ts";
import { type RequestFacts, type ServeOptions, serveTable } from "./serve.ts";

/** A small table with every kind of endpoint. */
export const table = {
  health: endpoint({
    ...{ method: "GET", path: "/health", role: "open", answer: "one", summary: "" },
    ...{ input: z.object({}), output: z.object({ status: z.string() }) },
  }),
  text: endpoint({
    ...{ method: "GET", path: "/text", role: "viewer", answer: "text", summary: "" },
    ...{ input: z.object({}), output: z.string() },
  }),
  echo: endpoint({
    ...{ method: "POST", path: "/api/v1/echo/:name", role: "operator", answer: "one", summary: "" },
    ...{ input: z.object({ name: z.string(), text: z.string().max(2_000_000).optional() }), output: z.unknown() },
  }),
  open: endpoint({
    ...{ method: "POST", path: "/api/v1/auth/session", role: "open", answer: "one", summary: "" },
    ...{ input: z.object({}), output: z.unknown() },
  }),
  lines: endpoint({
    ...{ method: "GET", path: "/api/v1/lines", role: "viewer", answer: "many", summary: "" },
    ...{ input: z.object({}), output: z.unknown() },
  }),
  stream: endpoint({
    ...{ method: "GET", path: "/api/v1/events/stream", role: "viewer", answer: "events", summary: "" },
    ...{ input: z.object({ after: z.coerce.number().int().optional() }), output: z.unknown() },
  }),
} as const satisfies Record<string, Endpoint>;

/** What bearers and cookies mean; taking one away is signing out. */
function makeCallers() {
  const user = (role: Role, kind: "browser" | "client"): Caller => ({
    ...{ kind: "user", userId: `usr_${role}`, name: role, role },
    session: { id: `ses_${role}`, kind },
  });
  return new Map<string, Caller>([
    ["viewer", user("viewer", "client")],
    ["operator", user("operator", "client")],
    ["admin", user("admin", "client")],
    ["local", { kind: "local" }],
    ["token", { kind: "token", tokenId: "tok_1", name: "ci", role: "viewer" }],
    ["fed_token", { kind: "token", tokenId: "tok_2", name: "grafana", role: "operator" }],
    ["cookie-viewer", user("viewer", "browser")],
    ["cookie-operator", user("operator", "browser")],
  ]);
}

export interface Scene {
  readonly url: string;
  readonly port: number;
  readonly callers: Map<string, Caller>;
  readonly refusals: Refusal[];
  readonly facts: RequestFacts[];
  readonly shown: Credentials[];
  readonly recalled: Caller[];
  /** Ids of the requests that have come. */
  readonly begun: string[];
  get(path: string, init?: RequestInit): Promise<Response>;
  /** A connection of bytes; what has come so far is `text()`. */
  connect(): Raw;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly table?: Readonly<Record<string, Endpoint>>;
  readonly handlers?: Readonly<Record<string, AnyHandler>>;
  readonly clock?: Clock;
  readonly trace?: Trace;
  readonly pages?: string;
  readonly limits?: Partial<ServeLimits>;
  /** Looks before each `recall`; what it throws, that throws. */
  readonly beforeRecall?: () => void;
}

const handlers: Readonly<Record<string, AnyHandler>> = {
  health: () => ({ status: "ok" }),
  text: () => "fed_up 1\n",
  echo: (input) => input,
  open: () => ({}),
  lines: async function* () {},
  stream: async function* () {},
};

/** Serves a table on a free port until the test is over. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const callers = makeCallers();
  const refusals: Refusal[] = [];
  const facts: RequestFacts[] = [];
  const shown: Credentials[] = [];
  const recalled: Caller[] = [];
  const keys = new WeakMap<Caller, string>();
  const begun: string[] = [];
  const serveOptions: ServeOptions = {
    ...{ host: "127.0.0.1", port: 0, clock: options.clock ?? systemClock, trace: options.trace ?? silentTrace },
    makeCorrelation() {
      begun.push(`cor_${begun.length + 1}`);
      return begun.at(-1) ?? "";
    },
    async identify(credentials) {
      shown.push(credentials);
      const key = credentials.bearer ?? credentials.cookie ?? "";
      const caller = callers.get(key) ?? { kind: "nobody" };
      keys.set(caller, key);
      return caller;
    },
    recall(caller) {
      options.beforeRecall?.();
      recalled.push(caller);
      return callers.get(keys.get(caller) ?? "") ?? { kind: "nobody" };
    },
    checkCsrf: (caller, header) => caller.kind === "user" && header === `csrf-${caller.session.id}`,
    refused: (refusal) => refusals.push(refusal),
    onRequest: (fact) => facts.push(fact),
    pages: options.pages,
    ...(options.limits ? { limits: options.limits } : {}),
  };
  const served = await serveTable(options.table ?? table, { ...handlers, ...options.handlers }, serveOptions);
  const close = () => served.close();
  onTestFinished(close);
  const url = `http://127.0.0.1:${served.port}`;
  return {
    ...{ url, port: served.port, callers, refusals, facts, shown, recalled, begun, close },
    get: (path, init = {}) => fetch(url + path, { redirect: "manual", ...init }),
    connect: () => openRaw(served.port),
  };
}

export interface Raw {
  readonly socket: Socket;
  send(text: string): void;
  text(): string;
  /** Resolves once the text holds this. */
  until(part: string): Promise<string>;
  /** Resolves with all that came when the other side has closed. */
  readonly closed: Promise<string>;
}

function openRaw(port: number): Raw {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  const waiting = new Set<() => void>();
  const closed = Promise.withResolvers<string>();
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (const look of [...waiting]) look();
  });
  socket.on("close", () => closed.resolve(text));
  return {
    ...{ socket, send: (part) => void socket.write(part), text: () => text, closed: closed.promise },
    until: (part) =>
      new Promise((resolve, reject) => {
        let from = 0;
        const look = () => {
          const found = text.includes(part, from);
          from = Math.max(0, text.length - part.length);
          if (!found) return;
          waiting.delete(look);
          resolve(text);
        };
        waiting.add(look);
        look();
        void closed.promise.then((all) => reject(new Error(`closed before ${JSON.stringify(part)} came: ${all}`)));
      }),
  };
}

/** A request as bytes. */
export function request(line: string, headers: Readonly<Record<string, string>> = {}, body = ""): string {
  const all = {
    host: "hub",
    ...headers,
    ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${head.join("")}\r\n${body}`;
}
