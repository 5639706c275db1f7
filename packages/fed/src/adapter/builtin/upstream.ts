import type { Dispatcher } from "undici";
// The pool alone: the whole of undici, with its own fetch, cache and web sockets, would cost 8 MB of memory.
import Pool from "undici/lib/dispatcher/pool.js";
import type { RouteTarget } from "#port/ingress.ts";
import { limit } from "./limit.ts";

/** Something in flight: a request, an upgraded or a raw connection. */
export interface Flight {
  /** Where its upstream keeps it; -1 when in none. The upstream's alone. */
  seat: number;
  /** Ends it at once, on both sides. */
  cut(): void;
}

/** One target with what is in flight to it and its pooled connections. Knows nothing of routes. */
export class Upstream {
  readonly target: RouteTarget;
  /** It could not be reached just now: the last choice until this tick. */
  avoidUntilMs = Number.NEGATIVE_INFINITY;
  /**
   * Each flight knows its own seat. A Set would do but for the garbage collector: one that is filled and emptied all the
   * time leaves a chain of outgrown tables behind that keep finished requests alive, which costs a third of the speed.
   */
  readonly #flights: Flight[] = [];
  /** It was there once. */
  hasAnswered = false;
  /** Nothing is said of its failures until this tick. */
  quietUntilMs = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<() => void>();
  #pool: Pool | undefined;

  constructor(target: RouteTarget) {
    this.target = target;
  }

  get inFlight(): number {
    return this.#flights.length;
  }

  enter(flight: Flight): void {
    flight.seat = this.#flights.push(flight) - 1;
  }

  leave(flight: Flight): void {
    if (flight.seat === -1) return;
    const last = this.#flights.pop();
    if (last !== undefined && last !== flight) {
      last.seat = flight.seat;
      this.#flights[flight.seat] = last;
    }
    flight.seat = -1;
    if (this.#flights.length > 0) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Calls `wake` when nothing is in flight, at once if so; the returned function forgets it. */
  whenIdle(wake: () => void): () => void {
    if (this.#flights.length === 0) wake();
    else this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  cut(): void {
    for (const flight of [...this.#flights]) flight.cut();
  }

  /** Sends a request over a pooled connection, or a fresh one when none is free. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool ??= openPool(this.target);
    this.#pool.dispatch(options, handler);
  }

  /** Closes pooled connections: the idle ones now, each other one after its request. Later requests get fresh ones. */
  letGo(): void {
    const pool = this.#pool;
    this.#pool = undefined;
    pool?.close().catch(() => {});
  }
}

function openPool({ host, port }: RouteTarget): Pool {
  return new Pool(`http://${host.includes(":") ? `[${host}]` : host}:${port}`, {
    pipelining: 1,
    connectTimeout: limit.connectMs,
    headersTimeout: limit.answerHeadMs,
    bodyTimeout: 0,
    maxHeaderSize: limit.headerSizeBytes,
    keepAliveTimeout: limit.instanceIdleMs,
    keepAliveMaxTimeout: limit.instanceIdleMs,
  });
}
