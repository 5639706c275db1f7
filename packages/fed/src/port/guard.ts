/**
 * Deadline, retry and limit for any port, once. An adapter only does its deed and obeys its signal; whoever wires it puts
 * this around it and hands on something of the same interface.
 */
import { type Clock, sleep, withDeadline } from "#base/clock.ts";
import { Fault, isFault, toFault } from "#base/fault.ts";
import { makeTurnstile, type Turnstile } from "./turnstile.ts";

/** Names of the methods that return a promise. */
export type PromiseMethod<P> = {
  [K in keyof P]: P[K] extends (...args: never[]) => PromiseLike<unknown> ? K : never;
}[keyof P] &
  string;

type Arguments<P, K extends keyof P> = P[K] extends (...args: infer A) => unknown ? A : never;

interface Deadline<A extends readonly unknown[]> {
  /** Of one try, waiting for its turn included; a function where it depends on the arguments (a grace to grant, say). */
  readonly deadlineMs: number | ((...args: A) => number);
}

/** Only what may be done twice with the effect of once is tried again, and says so. */
export type MethodLimit<A extends readonly unknown[]> = Deadline<A> &
  (
    | { readonly idempotent?: false; readonly retries?: never }
    /** `retries` counts the tries after the first; only Faults `unreachable` and `timeout` are tried again. */
    | { readonly idempotent: true; readonly retries: number }
  );

/** One for every method that returns a promise: the compiler asks for each. */
export type Limits<P> = { readonly [K in PromiseMethod<P>]: MethodLimit<Arguments<P, K>> };

export interface GuardOptions<P> {
  /** What the port is called in messages: "runtime". The adapter's own name is added. */
  readonly port: string;
  readonly clock: Clock;
  readonly limits: Limits<P>;
  /** How many limited calls run at once and how many more wait for their turn; beyond, Fault `unreachable`. No limit when left out. */
  readonly concurrency?: { readonly running: number; readonly waiting: number } | undefined;
  /** Before the first retry; doubled for each one after it, up to 30 s. 100 when left out. */
  readonly backOffMs?: number | undefined;
}

const longestBackOffMs = 30_000;

type Call = (...args: unknown[]) => unknown;

/**
 * The same port, guarded. Methods with a limit (all that return a promise) settle at their deadline at the latest, even
 * when the adapter ignores its signal: Fault `timeout` naming port and method. An abort by the caller (the signal is the
 * last argument) rejects with the caller's reason. Methods that return an async iterable pass through with their signal.
 * What the adapter throws that is no Fault becomes Fault `internal`, naming port and method, with the cause.
 */
export function guard<P extends { readonly name: string }>(port: P, options: GuardOptions<P>): P {
  const label = port.name === options.port ? port.name : `${options.port} ${port.name}`;
  const turnstile = options.concurrency && makeTurnstile(label, options.concurrency);
  const limits = options.limits as Readonly<Record<string, MethodLimit<unknown[]> | undefined>>;
  const guarded = new Map<PropertyKey, { readonly method: unknown; readonly call: Call }>();

  const wrap = (key: PropertyKey, method: Call): Call => {
    const bound: Call = (...args) => method.apply(port, args);
    const what = `${label}: ${String(key)}`;
    const limit = typeof key === "string" && Object.hasOwn(limits, key) ? limits[key] : undefined;
    return limit ? limited(bound, what, limit, options, turnstile) : passedThrough(bound, what);
  };

  // Around a heir of the port: a proxy of a frozen object may not answer anything but what is in it.
  return new Proxy<P>(Object.create(port), {
    get(_, key) {
      const method: unknown = Reflect.get(port, key, port);
      if (typeof method !== "function") return method;
      const known = guarded.get(key);
      if (known?.method === method) return known.call;
      const call = wrap(key, method as Call);
      guarded.set(key, { method, call });
      return call;
    },
  });
}

function limited(
  call: Call,
  what: string,
  limit: MethodLimit<unknown[]>,
  { clock, backOffMs = 100 }: { readonly clock: Clock; readonly backOffMs?: number | undefined },
  turnstile: Turnstile | undefined,
): Call {
  const retries = limit.retries ?? 0;
  return async (...args) => {
    const signal = signalOf(args);
    const deadlineMs = typeof limit.deadlineMs === "number" ? limit.deadlineMs : limit.deadlineMs(...args);
    const work = async (inner: AbortSignal) => call(...(signal ? args.with(-1, inner) : args));
    const tryOnce = (inner: AbortSignal) => (turnstile ? turnstile(work, inner) : work(inner));
    for (let tried = 0; ; tried++) {
      try {
        return await withDeadline(clock, deadlineMs, what, tryOnce, signal);
      } catch (thrown) {
        if (signal?.aborted) throw signal.reason;
        const fault = ownFault(thrown, what);
        if (tried >= retries || (fault.code !== "unreachable" && fault.code !== "timeout")) throw fault;
      }
      await sleep(clock, Math.min(backOffMs * 2 ** tried, longestBackOffMs), signal);
    }
  };
}

/** Calls at once, not at the first `next`: what comes in between must not be missed. */
function passedThrough(call: Call, what: string): Call {
  return (...args) => {
    const signal = signalOf(args);
    const translate = (thrown: unknown): never => {
      throw signal?.aborted && thrown === signal.reason ? thrown : ownFault(thrown, what);
    };
    try {
      const result = call(...args);
      return isAsyncIterable(result) ? translateErrors(result, translate) : result;
    } catch (thrown) {
      return translate(thrown);
    }
  };
}

function translateErrors(
  values: AsyncIterable<unknown>,
  translate: (thrown: unknown) => never,
): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = values[Symbol.asyncIterator]();
      return {
        next: () => iterator.next().catch(translate),
        return: async () => iterator.return?.().catch(translate) ?? { done: true, value: undefined },
      };
    },
  };
}

function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  return last instanceof AbortSignal ? last : undefined;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function ownFault(thrown: unknown, what: string): Fault {
  return isFault(thrown) ? thrown : new Fault("internal", `${what}: ${toFault(thrown).message}`, { cause: thrown });
}
