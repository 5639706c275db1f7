import type { Api } from "./api.ts";
import type { Endpoint, OutputOf, ParsedOf } from "./endpoint.ts";
import type { Access, Role } from "./role.ts";

/** Who calls. */
export type Caller =
  /** Nobody the hub knows. */
  | { readonly kind: "nobody" }
  /** Whoever can read the token file in the hub's data folder. */
  | { readonly kind: "local" }
  /** A person, signed in by a page (`browser`) or a program (`client`). */
  | {
      readonly kind: "user";
      readonly userId: string;
      readonly name: string;
      readonly role: Role;
      readonly session: { readonly id: string; readonly kind: "browser" | "client" };
    }
  /** A long-lived API token. */
  | { readonly kind: "token"; readonly tokenId: string; readonly name: string; readonly role: Role }
  /** A machine that reports by itself. `joinedMs` tells it from one that joins under its name later. */
  | { readonly kind: "machine"; readonly name: string; readonly joinedMs: number };

/** What the caller may do. */
export function accessOf(caller: Caller): Access {
  if (caller.kind === "nobody") return "open";
  return caller.kind === "local" || caller.kind === "machine" ? caller.kind : caller.role;
}

/**
 * The caller as the actor of an event: `user:ada`, `token:ci/tok_…`, `machine:node5`, `local`, `nobody`. Names of tokens are chosen freely,
 * so the id says which of them it was.
 */
export function actorOf(caller: Caller): string {
  if (caller.kind === "user" || caller.kind === "machine") return `${caller.kind}:${caller.name}`;
  return caller.kind === "token" ? `token:${caller.name}/${caller.tokenId}` : caller.kind;
}

/** The cookie of the browser that calls. */
export interface SessionCookie {
  /** Gives the browser its session; `maxAgeSeconds` until it forgets it. */
  set(secret: string, maxAgeSeconds: number): void;
  clear(): void;
}

/** One call of an endpoint. */
export interface CallContext {
  /** Aborts when the caller has gone or the hub closes. */
  readonly signal: AbortSignal;
  /** Of this request; on every event it leads to. */
  readonly correlation: string;
  readonly caller: Caller;
  /** The caller as the actor of events. */
  readonly actor: string;
  /** IP address of the caller. */
  readonly address: string;
  /** The caller's User-Agent, cut to 200 letters; "" when it sends none. */
  readonly agent: string;
  readonly cookie: SessionCookie;
  /** Headers that the answer is to have, in lower case, be it good or bad. */
  tell(headers: Readonly<Record<string, string>>): void;
  /** Where the caller has found the hub, as they say it themselves: `http://hub.lan:4747`. Nothing in it needs quoting. */
  readonly origin: string;
  /** What came to an endpoint that takes bytes. */
  readonly sent?: SentBytes;
  /** What comes to an endpoint that takes a stream; Who does not read is not sent more, who stops may go on later. */
  readonly upload?: AsyncIterable<Uint8Array>;
}

export interface SentBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The Content-Type without its parameters, in lower case; "" for none. */
  readonly type: string;
  /** The parameters of the Content-Type, as they came. */
  readonly parameters: string;
  /** The Content-Encoding, in lower case; "" for none. */
  readonly encoding: string;
}

/** A body of UTF-8 in the order in which it is sent; what is not sent yet need not exist. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

type Handler<E extends Endpoint> = E extends { readonly answer: "events" | "lines" }
  ? (input: ParsedOf<E>, context: CallContext) => AsyncIterable<OutputOf<E>>
  : E extends { readonly answer: "prometheus" }
    ? (input: ParsedOf<E>, context: CallContext) => Promise<string | Uint8Array | Pieces>
    : E extends { readonly answer: "many" }
      ? // What is refused before the items are handed out is an answer like any other.
        (input: ParsedOf<E>, context: CallContext) => AsyncIterable<OutputOf<E>> | Promise<AsyncIterable<OutputOf<E>>>
      : (input: ParsedOf<E>, context: CallContext) => Promise<OutputOf<E>> | OutputOf<E>;

/** One handler for every endpoint: a missing one is a compile error. */
export type Handlers = { readonly [K in keyof Api]: Handler<Api[K]> };

/** The handlers that one noun has. */
export type HandlersOf<K extends keyof Api> = Pick<Handlers, K>;

/** Somebody known may not do this, another site tries it through somebody's browser, or what was shown is not good. */
export interface Refusal {
  readonly endpoint: string;
  readonly reason: string;
  readonly caller: Caller;
  readonly address: string;
  /** Of the request. */
  readonly correlation: string;
}
