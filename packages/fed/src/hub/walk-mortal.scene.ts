import type { Clock } from "#base/clock.ts";
import type { Database, Settled, Tx } from "#disk/sqlite.ts";
import type { FakeImages } from "#port/image.fake.ts";
import type { Ingress } from "#port/ingress.ts";
import type { FakeRuntime } from "#port/runtime.fake.ts";

/** What a hub works with, for a hub that may die at each step: the world goes on without it, and nothing reaches it any more. */

/** At one moment. */
const mostTimers = 1_000;

export const never = <T>() => new Promise<T>(() => {});

export interface Line {
  readonly dead: boolean;
  /** It does the same again and again, and would never end. */
  spins(how: string): void;
  /** `signal`: of the call. */
  cross<T>(what: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A transaction; of who is dead it is undone, and nobody hears of it. */
  commit<T>(work: () => T, undo: (work: () => T) => T): T;
}

type Ended<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "failed"; readonly thrown: unknown };

export async function endOf<T>(work: Promise<T>): Promise<Ended<T>> {
  try {
    return { kind: "done", value: await work };
  } catch (thrown) {
    return { kind: "failed", thrown };
  }
}

/** Who is dead is woken no more. */
export function mortalClock(clock: Clock, line: Line): Clock {
  let [at, timers] = [0, 0];
  return {
    ...clock,
    after(delayMs, wake) {
      if (clock.tickMs() !== at) [at, timers] = [clock.tickMs(), 0];
      if (++timers > mostTimers) line.spins(`${timers} timers at one moment, the last of ${delayMs} ms`);
      return clock.after(delayMs, () => !line.dead && wake());
    },
  };
}

export function mortalDatabase(db: Database, line: Line): Database {
  return {
    path: db.path,
    room: db.room,
    prepare: (text, read) => db.prepare(text, read),
    tx: <T>(work: (tx: Tx) => Settled<T>): T =>
      line.commit(
        () => db.tx<T>(work),
        () => undone(db, work),
      ),
    close() {},
  };
}

/** What it would have come to. */
function undone<T>(db: Database, work: (tx: Tx) => Settled<T>): T {
  let found: { readonly value: T } | undefined;
  const undo = new Error("undone");
  try {
    db.tx((tx) => {
      found = { value: work(tx) as T };
      throw undo;
    });
  } catch (thrown) {
    if (thrown !== undo) throw thrown;
  }
  if (found === undefined) throw undo;
  return found.value;
}

/** The named functions of a port, each call a step. */
export function mortal<P extends object>(port: P, line: Line, names: readonly (keyof P & string)[], of: string): P {
  const wrapped = names.map((name) => {
    const call = port[name];
    if (typeof call !== "function") throw new Error(`${of} has no ${name}`);
    const make = (...args: unknown[]) => {
      const signal = args.find((one) => one instanceof AbortSignal);
      return line.cross(`${of}.${name}`, () => call.apply(port, args), signal);
    };
    return [name, make];
  });
  return { ...port, ...Object.fromEntries(wrapped) };
}

/** Nobody who is dead hears any more. */
async function* hearing<T>(items: AsyncIterable<T>, line: Line): AsyncGenerator<T> {
  for await (const item of items) {
    if (line.dead) await never();
    yield item;
  }
}

export function mortalRuntime(runtime: FakeRuntime, line: Line, of: string): FakeRuntime {
  const names = ["list", "start", "stop", "remove", "hostAddress", "removeVolume"] as const;
  return {
    ...mortal(runtime, line, names, of),
    watch: (signal) => hearing(runtime.watch(signal), line),
    async *logs(id, options, signal) {
      await line.cross(`${of}.logs`, async () => undefined);
      yield* hearing(runtime.logs(id, options, signal), line);
    },
  };
}

export function mortalImages(images: FakeImages, line: Line, of: string): FakeImages {
  const names = ["find", "pull", "build", "load", "layersThere", "list", "remove"] as const;
  return {
    ...mortal(images, line, names, of),
    async *save(id, options, signal) {
      await line.cross(`${of}.save`, async () => undefined);
      yield* hearing(images.save(id, options, signal), line);
    },
  };
}

export const mortalIngress = <I extends Ingress>(ingress: I, line: Line, of: string): I =>
  mortal(ingress, line, ["apply", "drain", "status"], of);
