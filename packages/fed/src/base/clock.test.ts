import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { childController, untilAborted } from "./abort.ts";
import { delayedSignal, sleep, systemClock, withDeadline } from "./clock.ts";
import { Fault } from "./fault.ts";
import { handClock } from "./hand-clock.ts";

const never = new Promise<never>(() => {});
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;
/** A promise that rejects when its signal aborts, as well-behaved work does. */
const obey = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

describe("delayedSignal", () => {
  it("aborts so much later than the other, with its reason, and leaves nothing", async () => {
    const clock = handClock();
    const parent = new AbortController();
    const { signal } = delayedSignal(clock, 100, parent.signal);
    parent.abort("enough");
    await clock.turn(99);
    expect(signal.aborted).toBe(false);
    await clock.turn(1);
    expect(signal.reason).toBe("enough");
    const late = delayedSignal(clock, 100, parent.signal);
    expect(clock.waiting).toBe(1);
    late.release();
    const unused = delayedSignal(clock, 100, new AbortController().signal);
    unused.release();
    expect([clock.waiting, listeners(parent.signal)]).toEqual([0, 0]);
  });
});

describe("sleep", () => {
  it("ends at its moment and leaves nothing", async () => {
    const clock = handClock();
    const { signal } = new AbortController();
    let woke = false;
    void sleep(clock, 100, signal).then(() => {
      woke = true;
    });
    await clock.turn(99);
    expect(woke).toBe(false);
    await clock.turn(1);
    expect(woke).toBe(true);
    expect(clock.waiting).toBe(0);
    expect(listeners(signal)).toBe(0);
  });

  it("rejects with the signal's reason and leaves nothing, before and while it sleeps", async () => {
    const clock = handClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 100, controller.signal);
    controller.abort("enough");
    await expect(sleeping).rejects.toBe("enough");
    await expect(sleep(clock, 100, controller.signal)).rejects.toBe("enough");
    expect(clock.waiting).toBe(0);
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe("withDeadline", () => {
  it("hands on the value or the rejection and leaves nothing", async () => {
    const clock = handClock();
    const { signal } = new AbortController();
    expect(await withDeadline(clock, 100, "work", async () => 7, signal)).toBe(7);
    const broken = new Error("broken");
    await expect(withDeadline(clock, 100, "work", () => Promise.reject(broken), signal)).rejects.toBe(broken);
    const thrown = () => {
      throw broken;
    };
    await expect(withDeadline(clock, 100, "work", thrown, signal)).rejects.toBe(broken);
    expect(clock.waiting).toBe(0);
    expect(listeners(signal)).toBe(0);
  });

  it.each([
    ["obeys its signal", obey],
    ["ignores its signal", () => never],
  ])("ends work that %s with Fault timeout", async (_, work) => {
    const clock = handClock();
    const { signal } = new AbortController();
    const outcome = withDeadline(clock, 100, "the probe", work, signal).catch((thrown: unknown) => thrown);
    await clock.turn(100);
    expect(await outcome).toEqual(new Fault("timeout", "the probe took longer than 100 ms"));
    expect(listeners(signal)).toBe(0);
  });

  it("aborts the work with the caller's reason", async () => {
    const clock = handClock();
    const controller = new AbortController();
    let seen: unknown;
    const work = withDeadline(
      clock,
      100,
      "work",
      (signal) => {
        signal.addEventListener("abort", () => {
          seen = signal.reason;
        });
        return never;
      },
      controller.signal,
    );
    controller.abort("enough");
    await expect(work).rejects.toBe("enough");
    expect(seen).toBe("enough");
    expect(clock.waiting).toBe(0);
    expect(listeners(controller.signal)).toBe(0);
  });

  it("does not begin the work under an aborted signal", async () => {
    const work = vi.fn(async () => 1);
    await expect(withDeadline(handClock(), 100, "work", work, AbortSignal.abort("enough"))).rejects.toBe("enough");
    expect(work).not.toHaveBeenCalled();
  });

  it("leaves late failures unheard", async () => {
    const clock = handClock();
    const late = Promise.withResolvers<never>();
    const outcome = withDeadline(clock, 100, "work", () => late.promise).catch((thrown: unknown) => thrown);
    await clock.turn(100);
    expect(await outcome).toBeInstanceOf(Fault);
    late.reject(new Error("too late to matter"));
  });
});

describe("untilAborted", () => {
  it("takes the first of the two and leaves nothing", async () => {
    const controller = new AbortController();
    expect(await untilAborted(Promise.resolve(7), controller.signal)).toBe(7);
    const broken = new Error("broken");
    await expect(untilAborted(Promise.reject(broken), controller.signal)).rejects.toBe(broken);
    expect(listeners(controller.signal)).toBe(0);
    const waiting = untilAborted(obey(controller.signal), controller.signal);
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(untilAborted(Promise.reject(broken), controller.signal)).rejects.toBe("enough");
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe("childController", () => {
  it("follows its parent until released, and never leads it", () => {
    const parent = new AbortController();
    const one = childController(parent.signal);
    const other = childController(parent.signal);
    one.controller.abort("mine");
    expect(parent.signal.aborted).toBe(false);
    other.release();
    one.release();
    expect(listeners(parent.signal)).toBe(0);
    const third = childController(parent.signal);
    parent.abort("enough");
    expect(third.controller.signal.reason).toBe("enough");
    expect(other.controller.signal.aborted).toBe(false);
    expect(childController(parent.signal).controller.signal.reason).toBe("enough");
    expect(childController(undefined).controller.signal.aborted).toBe(false);
  });
});

describe("systemClock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("wakes once, and not after cancel", () => {
    const wake = vi.fn();
    systemClock.after(10, wake);
    systemClock.after(10, wake).cancel();
    vi.advanceTimersByTime(1000);
    expect(wake).toHaveBeenCalledTimes(1);
  });

  it("wakes soon for a moment that has passed, and Node has nothing to warn of", () => {
    const wake = vi.fn();
    const set = vi.spyOn(globalThis, "setTimeout");
    for (const delayMs of [-1, -Infinity]) systemClock.after(delayMs, wake);
    expect(set.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0, 0]);
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(2);
  });

  it("waits longer than setTimeout can", () => {
    const wake = vi.fn();
    const days60 = 60 * 24 * 3_600_000;
    systemClock.after(days60, wake);
    const cancelled = systemClock.after(days60, wake);
    vi.advanceTimersByTime(days60 - 1);
    expect(wake).not.toHaveBeenCalled();
    cancelled.cancel();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
