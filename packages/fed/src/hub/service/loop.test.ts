import { hashText } from "@fed/lab";
import { expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { Action, Desired, DesiredService, ObservedInstance } from "#engine/reconcile/plan.ts";
import { openLoop } from "./loop.ts";
import { servingIn } from "./settled.ts";

/** What one service does, however long another one takes. */

function service(key: string, more: Partial<DesiredService> = {}): DesiredService {
  return { key, spec: `${key} 1`, fields: {}, replicas: 1, needs: [], ...more };
}

interface Troubles {
  /** What is never healthy. */
  readonly slow?: string;
  /** What cannot be started. */
  readonly refused?: readonly string[];
  /** What the ingress does not take. */
  readonly unrouted?: Set<string>;
}

/** A world in memory. */
function openScene({ slow, refused = [], unrouted = new Set() }: Troubles) {
  const clock = handClock();
  const instances = new Map<string, ObservedInstance>();
  const serving = new Set<string>();
  const failed: string[] = [];
  const done: string[] = [];
  let wish: Desired = { hash: "1", earlier: {}, services: [] };

  async function execute(action: Action, signal: AbortSignal): Promise<void> {
    const { kind, service: key } = action;
    if (kind === "start") {
      if (refused.includes(key)) throw new Fault("conflict", "no");
      const { spec, replica } = action;
      const health = key === slow ? "unknown" : "healthy";
      const more = { state: "running", health, routed: false } as const;
      instances.set(key, { id: key, service: key, spec, replica, ...more });
    }
    if (kind === "check" && key === slow) {
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    }
    const instance = instances.get(key);
    if (kind === "switch" && unrouted.has(key)) {
      // A turn of the event loop, so that whoever tries without end fails this test instead of holding it up.
      await new Promise(setImmediate);
      throw new Fault("conflict", "the port is taken");
    }
    if (kind === "switch" && instance) instances.set(key, { ...instance, routed: true });
    done.push(`${kind} ${key}`);
  }

  const loop = openLoop({
    world: { observe: async () => ({ instances: [...instances.values()] }), execute },
    ...{ clock, trace: silentTrace, hash: hashText },
    desired: () => wish,
    pending: () => false,
    announce: async () => {},
    onPlanned(desired, observed, plan) {
      for (const { key } of servingIn(desired, observed, plan, clock.nowMs())) serving.add(key);
    },
    onFailed: (step) => failed.push(step.action.service),
    onProgress() {},
    beginRun: () => () => {},
  });
  onTestFinished(() => loop.close());
  const want = (services: readonly DesiredService[]) => {
    wish = { ...wish, services };
  };
  return { clock, loop, want, serving, failed, done };
}

test("what serves is told, and what failed, while another is not healthy yet", async () => {
  const { loop, want, serving, failed, done } = openScene({ slow: "slow", refused: ["bad"] });
  want([service("slow"), service("quick"), service("bad")]);
  loop.begin();
  await vi.waitFor(() => expect([...serving]).toEqual(["quick"]));
  expect(failed).toEqual(["bad"]);
  expect(done).not.toContain("check slow");
});

test("a pause that is over ends while another is not healthy yet", async () => {
  const { clock, loop, want, serving, done } = openScene({ slow: "slow" });
  const hold = { kind: "backOff", untilMs: clock.nowMs() + 2_000, crashes: 2 } as const;
  want([service("slow"), service("crashed", { hold })]);
  loop.begin();
  await vi.waitFor(() => expect(done).toContain("start slow"));
  expect(done).not.toContain("start crashed");
  want([service("slow"), service("crashed")]);
  await clock.turn(2_000);
  await vi.waitFor(() => expect([...serving]).toEqual(["crashed"]));
});

test("a switch that is refused again and again is tried less and less often, and at once when there is news", async () => {
  const unrouted = new Set(["web"]);
  const { clock, loop, want, serving, failed } = openScene({ unrouted });
  want([service("web")]);
  loop.begin();
  await vi.waitFor(() => expect(failed.length).toBeGreaterThan(1));
  // Who hears of it wakes the loop: that is no news.
  for (let i = 0; i < 50; i++) {
    loop.wake(false);
    await clock.turn(1);
  }
  expect(failed).toHaveLength(2);
  await clock.turn(200);
  await vi.waitFor(() => expect(failed).toHaveLength(3));
  loop.wake(true);
  await vi.waitFor(() => expect(failed).toHaveLength(4));
  unrouted.clear();
  await clock.turn(10_000);
  await vi.waitFor(() => expect([...serving]).toEqual(["web"]));
});
