import { describe, expect, it } from "vitest";
import { sleep } from "./clock.ts";
import { handClock } from "./hand-clock.ts";

describe("handClock", () => {
  it("wakes each timer at its own moment, in order, also those set on the way", async () => {
    const clock = handClock(1000);
    const seen: string[] = [];
    const note = (what: string) => () => void seen.push(`${what} ${clock.tickMs()} ${clock.nowMs()}`);
    clock.after(20, note("late"));
    clock.after(10, note("first"));
    clock.after(10, () => {
      note("second")();
      clock.after(5, note("nested"));
    });
    clock.after(15, note("cancelled")).cancel();
    await clock.turn(30);
    expect(seen).toEqual(["first 10 1010", "second 10 1010", "nested 15 1015", "late 20 1020"]);
    expect(clock.tickMs()).toBe(30);
    expect(clock.waiting).toBe(0);
  });

  it("lets promises settle between two timers", async () => {
    const clock = handClock();
    let rounds = 0;
    void (async () => {
      for (;;) {
        await sleep(clock, 10);
        rounds++;
      }
    })();
    await clock.turn(1000);
    expect(rounds).toBe(100);
  });
});
