import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Fault, isFault } from "#base/fault.ts";
import { crashed, type History, holdOf } from "./backoff.ts";
import { diff } from "./diff.ts";
import type { Desired, DesiredService, Observed, ObservedInstance, Plan, Step } from "./plan.ts";
import { settledAtMs } from "./settle.ts";
import { type FakeWorld, makeWorld } from "./world.fake.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const planAt = (desired: Desired, observed: Observed, nowMs = 0): Plan => diff(desired, observed, { hash, nowMs });

const keys = ["prod/a", "prod/b", "prod/c", "prod/d"];
const specs = ["aaaaaaaa", "bbbbbbbb", "cccccccc"];
/** Nothing of this spec ever becomes healthy, when a case says so. */
const sickSpec = "bbbbbbbb";

/** Needs point to keys before one's own, so that they form no circle. */
const service = (index: number) =>
  fc
    .record({
      spec: fc.constantFrom(...specs),
      replicas: fc.integer({ min: 0, max: 3 }),
      needs: index === 0 ? fc.constant([]) : fc.uniqueArray(fc.constantFrom(...keys.slice(0, index)), { maxLength: 2 }),
      stopFirst: fc.option(fc.constant("it has one port"), { nil: undefined }),
      fallback: fc.option(fc.record({ spec: fc.constantFrom(...specs), settleMs: fc.constant(10_000) }), {
        nil: undefined,
      }),
      hold: fc.option(
        fc.constantFrom(
          { kind: "backOff", untilMs: 5_000, crashes: 3 } as const,
          { kind: "gaveUp", crashes: 8, last: "exit code 1" } as const,
        ),
        { nil: undefined, freq: 4 },
      ),
    })
    .map((rest): DesiredService => ({ key: keys[index] ?? "", fields: { image: rest.spec }, ...rest }));

const desired: fc.Arbitrary<Desired> = fc
  .tuple(
    fc.tuple(...keys.map((_key, index) => service(index))),
    fc.subarray(keys),
    fc.dictionary(
      fc.constantFrom(...specs),
      fc.record({ image: fc.constantFrom(...specs), needs: fc.subarray(keys).map((needs) => JSON.stringify(needs)) }),
    ),
  )
  .map(([services, wanted, earlier]) => ({
    hash: "wish",
    services: services.filter(({ key }) => wanted.includes(key)),
    earlier,
  }));

const instance = fc.record({
  service: fc.constantFrom(...keys, "dev/gone"),
  spec: fc.constantFrom(...specs),
  replica: fc.nat(3),
  state: fc.constantFrom("running", "running", "running", "exited"),
  health: fc.constantFrom("healthy", "healthy", "unknown", "unhealthy"),
  routed: fc.boolean(),
}) satisfies fc.Arbitrary<Omit<ObservedInstance, "id">>;

const observed: fc.Arbitrary<Observed> = fc
  .array(fc.tuple(instance, fc.constantFrom(0, -20_000)), { maxLength: 10 })
  .map((instances) => ({
    instances: instances.map(([one, since], index) => ({
      ...{ id: `i${index}`, ...one },
      servesSinceMs: one.health === "healthy" && one.routed ? since : undefined,
    })),
  }));

/** Nothing stands by for anything. */
const withoutFallbacks = (wish: Desired): Desired => ({
  ...wish,
  services: wish.services.map((one) => ({ ...one, fallback: undefined })),
});

const withoutHolds = (wish: Desired): Desired => ({
  ...wish,
  services: wish.services.map((one) => ({ ...one, hold: undefined })),
});

/** Which of the ready steps goes next. */
type Choose = (count: number) => number;
const choose: fc.Arbitrary<Choose> = fc
  .infiniteStream(fc.nat())
  .map((stream) => (count) => (stream.next().value ?? 0) % count);

const never = () => false;

interface Run {
  readonly failed: readonly Step[];
}

/** Carries out a plan in one of its orders and sees to the promises after each step. `breaks`: steps that fail as well. */
function run(plan: Plan, wish: Desired, world: FakeWorld, pick: Choose, breaks: (step: Step) => boolean = never): Run {
  const services = new Map(wish.services.map((one) => [one.key, one]));
  const lasting = wish.services.filter(
    ({ key, replicas, stopFirst }) => replicas > 0 && stopFirst === undefined && world.serves(key),
  );
  const succeeded = new Set<string>();
  const failed: Step[] = [];
  const waiting = new Set(plan.steps);
  for (;;) {
    const ready = [...waiting].filter(({ after }) => after.every((id) => succeeded.has(id)));
    const step = ready[pick(ready.length)];
    if (step === undefined) return { failed };
    waiting.delete(step);
    if (step.action.kind === "start") {
      for (const need of services.get(step.action.service)?.needs ?? []) {
        if (!world.serves(need)) throw new Error(`${step.id} before ${need} serves`);
      }
    }
    try {
      if (breaks(step)) throw new Fault("unreachable", "the wire is cut");
      world.execute(step.action);
      succeeded.add(step.id);
    } catch (thrown) {
      if (!isFault(thrown)) throw new Error(`${step.id}: ${String(thrown)}`, { cause: thrown });
      failed.push(step);
    }
    for (const { key } of lasting) if (!world.serves(key)) throw new Error(`nobody serves ${key} after ${step.id}`);
  }
}

const cases = { numRuns: 1_000 };

test("after a plan was carried out nothing is left to do", () => {
  fc.assert(
    fc.property(desired, observed, choose, (wish, seen, pick) => {
      const world = makeWorld(seen.instances, () => false);
      const plan = planAt(wish, world.observe());
      expect(run(plan, wish, world, pick).failed).toEqual([]);
      expect(planAt(wish, world.observe()).steps).toEqual([]);
    }),
    cases,
  );
});

/** As a world tells it: of a service of whose wanted spec something cannot be seen, nothing is done. */
function heldWhereUnseen(wish: Desired, { instances }: Observed): Desired {
  const isUnseen = ({ key, spec }: DesiredService) =>
    instances.some((one) => one.unseen === true && one.service === key && one.spec === spec);
  const services = wish.services.map((one) =>
    isUnseen(one) ? { ...one, hold: { kind: "unseen", why: "is on a machine that is away" } as const } : one,
  );
  return { ...wish, services };
}

test("no step touches what cannot be seen, and after the plan nothing is left to do", () => {
  fc.assert(
    fc.property(desired, observed, fc.infiniteStream(fc.nat(3)), choose, (given, all, chance, pick) => {
      const dim = (one: ObservedInstance) =>
        chance.next().value === 0 ? { ...one, health: "unknown" as const, unseen: true } : one;
      const seen = { instances: all.instances.map(dim) };
      // The fake refuses a step on what is unseen with an Error, which is thrown.
      const world = makeWorld(seen.instances, () => false);
      const wish = heldWhereUnseen(given, seen);
      const plan = planAt(wish, world.observe());
      expect(run(plan, { ...wish, services: [] }, world, pick).failed).toEqual([]);
      expect(planAt(wish, world.observe()).steps).toEqual([]);
      const left = (of: Observed) => of.instances.filter(({ unseen }) => unseen === true).map(({ id }) => id);
      expect(left(world.observe())).toEqual(left(seen));
    }),
    cases,
  );
});

test("what is wanted, and nothing else, runs and serves in the end", () => {
  fc.assert(
    fc.property(desired, observed, choose, (given, seen, pick) => {
      const wish = withoutFallbacks(withoutHolds(given));
      const world = makeWorld(seen.instances, () => false);
      run(planAt(wish, world.observe()), wish, world, pick);
      const { instances } = world.observe();
      const met = new Set<string>();
      for (const { key, spec, replicas, needs } of wish.services) {
        if (replicas === 0 || !needs.every((need) => met.has(need))) continue;
        met.add(key);
        const ours = instances.filter((one) => one.service === key);
        expect(ours.map((one) => [one.spec, one.state, one.routed])).toEqual(
          Array.from({ length: replicas }, () => [spec, "running", true]),
        );
        expect(ours.map(({ replica }) => replica).sort()).toEqual(Array.from({ length: replicas }, (_, at) => at));
      }
    }),
    cases,
  );
});

test("what stands by is there until the wanted instances have lasted, and is gone then", () => {
  fc.assert(
    fc.property(desired, observed, choose, (given, seen, pick) => {
      const wish = withoutHolds(given);
      const world = makeWorld(seen.instances, () => false);
      const standby = seen.instances.filter(({ service, spec, state, health }) => {
        const wanted = wish.services.find(({ key }) => key === service);
        const overlaps = wanted?.stopFirst === undefined && (wanted?.replicas ?? 0) > 0;
        const isOlder = wanted?.fallback?.spec === spec && wanted.spec !== spec;
        return overlaps && isOlder && state === "running" && health !== "unhealthy";
      });
      const began = planAt(wish, world.observe());
      // Where all is there already and has lasted nothing is waited for.
      const lasted = wish.services.filter((service) => {
        const ours = seen.instances.filter((one) => one.service === service.key);
        return (settledAtMs(service, ours) ?? 0) <= 0;
      });
      const young = standby.filter(({ service }) => {
        const starts = began.steps.some(({ action }) => action.kind === "start" && action.service === service);
        return starts && !lasted.some(({ key }) => key === service);
      });
      run(began, wish, world, pick);
      const left = new Set(world.observe().instances.map(({ id }) => id));
      expect(young.filter(({ id }) => !left.has(id))).toEqual([]);
      const later = 100_000;
      run(planAt(wish, world.observe(), later), wish, world, pick);
      const { instances } = world.observe();
      // A need that is not met keeps the wanted ones from being started, or some of them.
      const arrived = new Set(
        wish.services.flatMap(({ key, spec, replicas }) => {
          const ours = instances.filter((one) => one.service === key && one.routed && one.spec === spec);
          // Of who was led to before, and was asked by nobody since, it is not known that it serves.
          const known = new Set(ours.flatMap((one) => (one.servesSinceMs === undefined ? [] : [one.replica])));
          return Array.from({ length: replicas }, (_, at) => at).every((at) => known.has(at)) ? [key] : [];
        }),
      );
      const ids = new Set(instances.map(({ id }) => id));
      expect(standby.filter(({ id, service }) => arrived.has(service) && ids.has(id))).toEqual([]);
    }),
    cases,
  );
});

test("planning is pure: inputs untouched, the same answer twice and in any order of the input", () => {
  fc.assert(
    fc.property(desired, observed, fc.infiniteStream(fc.nat()), (wish, seen, chance) => {
      const plan = planAt(deepFreeze(wish), deepFreeze(seen));
      expect(planAt(wish, seen)).toEqual(plan);
      const shuffle = <T>(list: readonly T[]): T[] =>
        list
          .map((item) => ({ item, at: chance.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ item }) => item);
      const services = shuffle(wish.services).map((one) => ({ ...one, needs: shuffle(one.needs) }));
      expect(planAt({ ...wish, services }, { instances: shuffle(seen.instances) })).toEqual(plan);
    }),
    cases,
  );
});

test("a plan is in order: unique ids, and each step after those it waits for", () => {
  fc.assert(
    fc.property(desired, observed, (wish, seen) => {
      const before = new Set<string>();
      for (const { id, after, reason } of planAt(wish, seen).steps) {
        expect(before.has(id)).toBe(false);
        expect(after.filter((other) => !before.has(other))).toEqual([]);
        expect(reason).not.toBe("");
        before.add(id);
      }
    }),
    cases,
  );
});

test("whatever fails, what served goes on serving, and it comes to rest", () => {
  fc.assert(
    fc.property(desired, observed, choose, (given, seen, pick) => {
      const world = makeWorld(seen.instances, (_service, spec) => spec === sickSpec);
      const histories = new Map<string, History>();
      let nowMs = 0;
      for (let round = 0; ; round++) {
        if (round > 30) throw new Error("it does not come to rest");
        const unquiet = round < 5;
        if (unquiet) world.crash(pick(100));
        nowMs += 100_000;
        const services = withoutHolds(given).services.map((one) => ({
          ...one,
          hold: holdOf(histories.get(one.key), one.spec, nowMs),
        }));
        const wish = { ...given, services };
        const plan = planAt(wish, world.observe(), nowMs);
        if (plan.steps.length === 0 && !unquiet) return;
        const served = new Set(services.filter(({ key }) => world.serves(key)).map(({ key }) => key));
        for (const { action } of run(plan, wish, world, pick, () => unquiet && pick(6) === 0).failed) {
          const wanted = services.find(({ key }) => key === action.service);
          if (!wanted || (action.kind !== "start" && action.kind !== "check")) continue;
          const failure = { spec: wanted.spec, atMs: nowMs, reason: "not healthy", final: served.has(wanted.key) };
          histories.set(wanted.key, crashed(histories.get(wanted.key), failure));
        }
      }
    }),
    cases,
  );
});

test("broken off anywhere, the next plan goes on to the same end", () => {
  fc.assert(
    fc.property(desired, observed, choose, fc.nat(15), (wish, seen, pick, steps) => {
      const world = makeWorld(seen.instances, () => false);
      const plan = planAt(wish, world.observe());
      const part = plan.steps.slice(0, steps);
      const names = new Set(part.map(({ id }) => id));
      run({ ...plan, steps: part.filter(({ after }) => after.every((id) => names.has(id))) }, wish, world, pick);
      run(planAt(wish, world.observe()), wish, world, pick);
      expect(planAt(wish, world.observe()).steps).toEqual([]);
    }),
    cases,
  );
});

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
