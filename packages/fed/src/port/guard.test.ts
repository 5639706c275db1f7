import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { type GuardOptions, guard, type Limits } from "./guard.ts";

interface Kettle {
  readonly name: string;
  readonly features: { readonly whistles: boolean };
  heat(litres: number, signal: AbortSignal): Promise<string>;
  look(signal: AbortSignal): Promise<number>;
  steam(signal: AbortSignal): AsyncIterable<string>;
}

type Heat = Kettle["heat"];
const never = new Promise<never>(() => {});
const going = () => new AbortController().signal;
const outcome = (promise: Promise<unknown>) => promise.catch((thrown: unknown) => thrown);

const limits: Limits<Kettle> = {
  heat: { deadlineMs: (litres) => litres * 1000 },
  look: { deadlineMs: 100, idempotent: true, retries: 2 },
};

/** A class with private state, as an adapter may be. */
class TinKettle implements Kettle {
  readonly name = "tin";
  readonly features = { whistles: true };
  readonly #boiled = "boiled";
  heat: Heat = async () => this.#boiled;
  looks = 0;
  async look(_signal: AbortSignal): Promise<number> {
    return ++this.looks;
  }
  async *steam(_signal: AbortSignal): AsyncGenerator<string> {
    yield this.#boiled;
  }
}

function setUp(parts: Partial<Kettle> = {}, options: Partial<GuardOptions<Kettle>> = {}) {
  const clock = handClock();
  const kettle = Object.assign(new TinKettle(), parts);
  return { clock, kettle, guarded: guard<Kettle>(kettle, { port: "kettle", clock, limits, ...options }) };
}

describe("guard", () => {
  it("is the same port", async () => {
    const { guarded, clock } = setUp();
    expect(guarded.name).toBe("tin");
    expect(guarded.features).toEqual({ whistles: true });
    expect(guarded.heat).toBe(guarded.heat);
    const { signal } = new AbortController();
    expect(await guarded.heat(1, signal)).toBe("boiled");
    expect(await Array.fromAsync(guarded.steam(signal))).toEqual(["boiled"]);
    expect(clock.waiting).toBe(0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("takes a frozen port", async () => {
    const kettle: Kettle = Object.freeze({
      ...setUp().kettle,
      look: async () => 7,
      steam: () => new TinKettle().steam(going()),
    });
    expect(await guard(kettle, { port: "kettle", clock: handClock(), limits }).look(going())).toBe(7);
  });

  it("asks for a limit of every method that waits, and of no other", () => {
    const look = { deadlineMs: 1 };
    // @ts-expect-error: heat is missing
    const missing: Limits<Kettle> = { look };
    // @ts-expect-error: no such method
    const unknown: Limits<Kettle> = { look, heat: look, boil: look };
    // @ts-expect-error: an async iterable has no deadline
    const stream: Limits<Kettle> = { look, heat: look, steam: look };
    // @ts-expect-error: what may not be done twice is not tried again
    const twice: Limits<Kettle> = { look, heat: { deadlineMs: 1, retries: 1 } };
    const loose: Limits<Kettle> = { look, heat: { deadlineMs: (litres) => litres.toFixed.length } };
    expect([missing, unknown, stream, twice, loose]).toHaveLength(5);
  });

  it("ends a call at its deadline, also one that ignores its signal", async () => {
    const { guarded, clock } = setUp({ heat: () => never });
    const { signal } = new AbortController();
    const call = outcome(guarded.heat(3, signal));
    await clock.turn(2999);
    expect(clock.waiting).toBe(1);
    await clock.turn(1);
    expect(await call).toEqual(new Fault("timeout", "kettle tin: heat took longer than 3000 ms"));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("tells the adapter that its time is over", async () => {
    let inner: AbortSignal | undefined;
    const { guarded, clock } = setUp({
      heat: (_, signal) => {
        inner = signal;
        return never;
      },
    });
    const call = outcome(guarded.heat(3, going()));
    await clock.turn(3000);
    expect(inner?.reason).toBe(await call);
  });

  it("passes the caller's abort on, and rejects with its reason", async () => {
    let seen: unknown;
    const { guarded, clock } = setUp({
      heat: (_, signal) => {
        signal.addEventListener("abort", () => {
          seen = signal.reason;
        });
        return never;
      },
    });
    const controller = new AbortController();
    const call = outcome(guarded.heat(3, controller.signal));
    await clock.turn(0);
    controller.abort("enough");
    expect([await call, seen]).toEqual(["enough", "enough"]);
    expect(await outcome(guarded.heat(3, controller.signal))).toBe("enough");
    expect(clock.waiting).toBe(0);
  });

  it("makes a Fault of what is none, and leaves one as it is", async () => {
    const broken = new Error("ECONNRESET");
    const { guarded } = setUp({ heat: () => Promise.reject(broken) });
    const fault = await outcome(guarded.heat(1, going()));
    expect(fault).toMatchObject({ code: "internal", message: "kettle tin: heat: ECONNRESET", cause: broken });
    const own = new Fault("denied", "hands off");
    const thrower = setUp({
      heat: () => {
        throw own;
      },
    });
    expect(await outcome(thrower.guarded.heat(1, going()))).toBe(own);
  });
});

describe("retries", () => {
  const failing = (codes: readonly (Fault["code"] | "works")[]) => {
    const left = [...codes];
    return async () => {
      const code = left.shift() ?? "works";
      if (code !== "works") throw new Fault(code, `cannot: ${left.length}`);
      return left.length;
    };
  };

  it("tries again after a back-off that doubles", async () => {
    let tries = 0;
    const look = failing(["unreachable", "timeout"]);
    const { guarded, clock } = setUp({
      look: () => {
        tries++;
        return look();
      },
    });
    const call = guarded.look(going());
    await clock.turn(99);
    expect(tries).toBe(1);
    await clock.turn(1);
    expect(tries).toBe(2);
    await clock.turn(199);
    expect(tries).toBe(2);
    await clock.turn(1);
    expect(tries).toBe(3);
    expect(await call).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  it("gives up with the last Fault", async () => {
    const { guarded, clock } = setUp({ look: failing(["unreachable", "unreachable", "unreachable"]) });
    const call = outcome(guarded.look(going()));
    await clock.turn(10_000);
    expect(await call).toMatchObject({ code: "unreachable", message: "cannot: 0" });
  });

  it("gives each try a deadline of its own", async () => {
    const { guarded, clock } = setUp({ look: () => never });
    const call = outcome(guarded.look(going()));
    await clock.turn(100 + 100 + 100 + 200 + 99);
    expect(clock.waiting).toBe(1);
    await clock.turn(1);
    expect(await call).toMatchObject({ code: "timeout" });
  });

  it("does not try again what will not get better, nor what is not idempotent", async () => {
    for (const code of ["invalid", "missing", "conflict", "denied", "unsupported", "internal"] as const) {
      const { guarded } = setUp({ look: failing([code]) });
      expect(await outcome(guarded.look(going()))).toMatchObject({ code });
    }
    const { guarded } = setUp({ heat: async () => String(await failing(["unreachable"])()) });
    expect(await outcome(guarded.heat(1, going()))).toMatchObject({ code: "unreachable" });
  });

  it("stops waiting when the caller aborts", async () => {
    const { guarded, clock } = setUp({ look: failing(["unreachable"]) });
    const controller = new AbortController();
    const call = outcome(guarded.look(controller.signal));
    await clock.turn(50);
    controller.abort("enough");
    expect(await call).toBe("enough");
    expect(clock.waiting).toBe(0);
  });
});

describe("concurrency", () => {
  const crowd = { concurrency: { running: 2, waiting: 2 } };

  function busy() {
    const gates: PromiseWithResolvers<string>[] = [];
    let most = 0;
    let running = 0;
    const heat: Heat = async () => {
      most = Math.max(most, ++running);
      const gate = Promise.withResolvers<string>();
      gates.push(gate);
      return gate.promise.finally(() => running--);
    };
    return { ...setUp({ heat }, crowd), gates, most: () => most };
  }

  it("lets so many run, in order, keeps so many waiting and refuses the rest", async () => {
    const { guarded, clock, gates, most } = busy();
    const calls = Array.from({ length: 4 }, () => guarded.heat(10, going()));
    const refused = await outcome(guarded.heat(10, going()));
    expect(refused).toMatchObject({ code: "unreachable", message: "kettle tin is busy: 2 calls run and 2 wait" });
    for (let i = 0; i < 4; i++) {
      await clock.turn(0);
      gates[i]?.resolve(`${i}`);
    }
    expect(await Promise.all(calls)).toEqual(["0", "1", "2", "3"]);
    expect(most()).toBe(2);
    expect(clock.waiting).toBe(0);
  });

  it("keeps to its limit when the first crowd has gone", async () => {
    const { guarded, clock, gates, most } = busy();
    for (let wave = 0; wave < 3; wave++) {
      const calls = Array.from({ length: 4 }, () => guarded.heat(10, going()));
      for (let i = 0; i < 4; i++) {
        await clock.turn(0);
        gates.shift()?.resolve("boiled");
      }
      expect(await Promise.all(calls)).toHaveLength(4);
    }
    expect(most()).toBe(2);
  });

  it("forgets who gave up waiting", async () => {
    const { guarded, clock, gates } = busy();
    const running = [guarded.heat(10, going()), guarded.heat(10, going())];
    const controller = new AbortController();
    const gone = [outcome(guarded.heat(10, controller.signal)), outcome(guarded.heat(10, controller.signal))];
    await clock.turn(0);
    controller.abort("enough");
    expect(await Promise.all(gone)).toEqual(["enough", "enough"]);
    const next = [guarded.heat(10, going()), guarded.heat(10, going())];
    for (let i = 0; i < 4; i++) {
      await clock.turn(0);
      gates[i]?.resolve("boiled");
    }
    expect(await Promise.all([...running, ...next])).toHaveLength(4);
  });

  it("makes room when a waiting call aborts and when a hanging one is over its deadline", async () => {
    const { guarded, clock, gates } = busy();
    const hanging = [outcome(guarded.heat(1, going())), outcome(guarded.heat(1, going()))];
    const controller = new AbortController();
    const waiting = outcome(guarded.heat(10, controller.signal));
    const next = guarded.heat(10, going());
    await clock.turn(0);
    controller.abort("enough");
    expect(await waiting).toBe("enough");
    await clock.turn(1000);
    expect(await Promise.all(hanging)).toMatchObject([{ code: "timeout" }, { code: "timeout" }]);
    expect(gates).toHaveLength(3);
    gates[2]?.resolve("next");
    expect(await next).toBe("next");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("counts waiting for a turn as part of the deadline", async () => {
    const { guarded, clock } = busy();
    const first = [outcome(guarded.heat(10, going())), outcome(guarded.heat(10, going()))];
    const late = outcome(guarded.heat(1, going()));
    await clock.turn(1000);
    expect(await late).toMatchObject({ code: "timeout" });
    await clock.turn(10_000);
    await Promise.all(first);
  });
});

describe("an async iterable", () => {
  it("begins with the call, hears the abort and is closed", async () => {
    const seen: string[] = [];
    const { guarded } = setUp({
      steam: (signal) => {
        seen.push("called");
        signal.addEventListener("abort", () => seen.push("aborted"));
        return (async function* () {
          try {
            for (;;) yield "puff";
          } finally {
            seen.push("closed");
          }
        })();
      },
    });
    const controller = new AbortController();
    const steam = guarded.steam(controller.signal);
    expect(seen).toEqual(["called"]);
    for await (const puff of steam) {
      expect(puff).toBe("puff");
      break;
    }
    controller.abort();
    expect(seen).toEqual(["called", "closed", "aborted"]);
  });

  it("throws Faults, and the caller's reason", async () => {
    const broken = new Error("leaks");
    const failing = (thrown: unknown): Partial<Kettle> => ({
      async *steam() {
        yield "puff";
        throw thrown;
      },
    });
    const read = (parts: Partial<Kettle>, signal = going()) =>
      outcome(Array.fromAsync(setUp(parts).guarded.steam(signal)));
    expect(await read(failing(broken))).toMatchObject({
      code: "internal",
      message: "kettle tin: steam: leaks",
      cause: broken,
    });
    const own = new Fault("missing", "no kettle");
    expect(await read(failing(own))).toBe(own);
    const aborted = AbortSignal.abort(broken);
    expect(await read(failing(broken), aborted)).toBe(broken);
    const thrower: Partial<Kettle> = {
      steam: () => {
        throw broken;
      },
    };
    expect(() => setUp(thrower).guarded.steam(going())).toThrow("kettle tin: steam: leaks");
  });
});
