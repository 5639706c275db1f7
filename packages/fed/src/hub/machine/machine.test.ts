import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answered, facts, server, silent, workstation } from "./machine.scene.ts";
import {
  factsAfter,
  isGone,
  type Known,
  knownOf,
  lookedAt,
  neverSeen,
  type Observed,
  releasedFrom,
  reviewed,
  type Seen,
} from "./machine.ts";
import { fleetOf, type Member } from "./member.ts";

type Step =
  | { readonly kind: "answered"; readonly failing: readonly string[]; readonly complete: boolean }
  | { readonly kind: "silent" }
  | { readonly kind: "exporter"; readonly fails: boolean }
  | { readonly kind: "maintenance"; readonly on: boolean }
  | { readonly kind: "restart" };

const collectors = ["containers", "units"];
const steps: fc.Arbitrary<readonly { readonly step: Step; readonly afterMs: number }[]> = fc.array(
  fc.record({
    step: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("answered" as const),
          failing: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(collectors)),
          complete: fc.boolean(),
        }),
      },
      { weight: 5, arbitrary: fc.constant({ kind: "silent" as const }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("exporter" as const), fails: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("maintenance" as const), on: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
    ),
    // The wall clock jumps back, too.
    afterMs: fc.integer({ min: -60_000, max: 60_000 }),
  }),
  { maxLength: 60 },
);

function seenIn(step: Extract<Step, { readonly kind: "answered" | "silent" }>): Seen {
  if (step.kind === "silent") return { look: silent };
  const failures = step.failing.map((section) => ({ section, reason: "it fails" }));
  return { look: answered, telling: { asked: collectors, failures }, complete: step.complete };
}

/** What the documents say, as simply as it can be said: counts over the whole history. */
function makeModel(kind: "server" | "workstation") {
  const gone = kind === "server" ? "offline" : "away";
  const badness = { online: 0, degraded: 1, unknown: 2, away: 3, offline: 3 } as const;
  let state: keyof typeof badness = "unknown";
  let [misses, sound, maintained, exporterFails] = [0, 0, false, false];
  let failing: readonly string[] = [];
  const become = (next: keyof typeof badness) => {
    if (!maintained || badness[next] <= badness[state]) state = next;
  };
  const answers = () => {
    if (failing.length > 0 || exporterFails) become("degraded");
    else if (state !== "degraded" || sound >= 3) become("online");
  };
  return {
    take(step: Step) {
      if (step.kind === "answered") {
        misses = 0;
        failing = step.failing;
        sound = failing.length === 0 && !exporterFails && step.complete ? sound + 1 : 0;
        answers();
      } else if (step.kind === "silent") {
        misses++;
        if (misses >= 3 || state === gone) {
          sound = 0;
          become(gone);
        }
      } else if (step.kind === "exporter") {
        if (exporterFails === step.fails) return;
        exporterFails = step.fails;
        sound = 0;
        if (state === "online" || state === "degraded") answers();
      } else if (step.kind === "maintenance") {
        maintained = step.on;
        if (!step.on) misses = 0;
      } else {
        [misses, sound, exporterFails, failing] = [0, 0, false, []];
      }
    },
    get: () => ({ state, misses, problems: [...failing, ...(exporterFails ? ["exporter node"] : [])].sort() }),
  };
}

const memberOf = (document: Member["document"]): Member =>
  fleetOf({ a: document }, new Map()).get("a") ?? expect.unreachable();

test("whatever happens to a machine, its state is what its history says", () => {
  fc.assert(
    fc.property(fc.constantFrom("server" as const, "workstation" as const), steps, (kind, all) => {
      const model = makeModel(kind);
      const member = memberOf(kind === "server" ? server() : workstation());
      let nowMs = 1_000_000;
      let observed: Observed = neverSeen(nowMs);
      let maintained = false;
      for (const { step, afterMs } of all) {
        nowMs += afterMs;
        const before = observed;
        if (step.kind === "answered" || step.kind === "silent") {
          observed = lookedAt(observed, { kind, maintained }, seenIn(step), nowMs);
        } else if (step.kind === "exporter") {
          const failures = step.fails ? [{ section: "exporter node", reason: "no answer" }] : [];
          observed = reviewed(observed, { kind, maintained }, { asked: ["exporter node"], failures }, nowMs);
        } else if (step.kind === "maintenance") {
          maintained = step.on;
          if (!step.on) observed = releasedFrom(observed);
        } else {
          const { state, sinceMs, seenMs } = observed;
          const row = { kind, state, sinceMs, seenMs, facts: undefined, maintenance: undefined };
          observed = knownOf(member, undefined, row, nowMs).observed;
        }
        model.take(step);
        const wanted = model.get();
        expect(observed.state).toBe(wanted.state);
        expect(isGone(observed)).toBe(wanted.misses >= 3);
        if (step.kind !== "restart") {
          expect(observed.problems.map(({ collector }) => collector)).toEqual(wanted.problems);
        }
        expect(observed.sinceMs).toBe(observed.state === before.state ? before.sinceMs : nowMs);
        if (step.kind === "answered") expect(observed.seenMs).toBe(nowMs);
        else expect(observed.seenMs).toBe(before.seenMs);
      }
    }),
    { numRuns: 500 },
  );
});

const calm = { kind: "server", maintained: false } as const;
const worked = { kind: "server", maintained: true } as const;
const failing = (section: string, reason: string): Seen => ({
  look: answered,
  telling: { asked: ["cpu", section], failures: [{ section, reason }] },
});
const sound: Seen = { look: answered, telling: { asked: ["cpu", "containers"], failures: [] } };

function after(...seen: readonly Seen[]): Observed {
  return seen.reduce((before, one, at) => lookedAt(before, calm, one, 1_000 * (at + 1)), neverSeen(0));
}

describe("degraded", () => {
  test("says which collector fails, why, and since when, in one line", () => {
    const once = after(failing("containers", "it may not ask\nDocker: \u001b[31madd ada to the group docker"));
    expect(once).toMatchObject({
      state: "degraded",
      detail: "containers: it may not ask Docker: [31madd ada to the group docker",
      problems: [{ collector: "containers", sinceMs: 1_000 }],
    });
    const twice = lookedAt(once, calm, failing("containers", "another reason"), 9_000);
    expect(twice.problems).toEqual([{ collector: "containers", reason: "another reason", sinceMs: 1_000 }]);
    expect(twice.sinceMs).toBe(1_000);
  });

  test("ends after three answers without a problem, and not before each collector was asked", () => {
    const bad = after(failing("containers", "no"));
    const unasked = lookedAt(bad, calm, { look: answered, telling: { asked: ["cpu"], failures: [] } }, 2_000);
    expect(unasked.problems).toHaveLength(1);
    const better = [2_000, 3_000].reduce((before, nowMs) => lookedAt(before, calm, sound, nowMs), bad);
    expect(better).toMatchObject({ state: "degraded", problems: [], detail: expect.stringContaining("works again") });
    expect(lookedAt(better, calm, { ...sound, complete: false }, 4_000).state).toBe("degraded");
    expect(lookedAt(better, calm, sound, 4_000)).toMatchObject({ state: "online", sinceMs: 4_000, detail: "" });
  });

  test("names the first and counts the rest, and is bounded whatever the machine says", () => {
    const many = Array.from({ length: 1_000 }, (_, n) => ({ section: `s${n}`, reason: "x".repeat(100_000) }));
    const { problems, detail } = after({ look: answered, telling: { asked: [], failures: many } });
    expect(problems.length).toBeLessThanOrEqual(100);
    expect(JSON.stringify(problems).length).toBeLessThan(100_000);
    expect(detail.length).toBeLessThanOrEqual(500);
  });
});

describe("maintenance", () => {
  test("holds what is worse and lets what is better through; its end asks anew", () => {
    let one = after(sound);
    for (let n = 0; n < 5; n++) one = lookedAt(one, worked, { look: silent }, 10_000);
    expect(one).toMatchObject({ state: "online", detail: silent.reason });
    one = releasedFrom(one);
    for (const state of ["online", "online", "offline"]) {
      one = lookedAt(one, calm, { look: silent }, 20_000);
      expect(one.state).toBe(state);
    }
    expect(lookedAt(one, worked, sound, 30_000).state).toBe("online");
  });
});

test("facts are news when they say something new: a start told a second later is the same one", () => {
  expect(factsAfter(undefined, undefined)).toBeUndefined();
  expect(factsAfter(undefined, facts)).toBe(facts);
  expect(factsAfter(facts, undefined)).toBe(facts);
  for (const offMs of [-5_000, -1_000, 0, 1_000, 5_000]) {
    expect(factsAfter(facts, { ...facts, bootedMs: facts.bootedMs + offMs })).toBe(facts);
  }
  const restarted = { ...facts, bootedMs: facts.bootedMs + 5_001 };
  expect(factsAfter(facts, restarted)).toBe(restarted);
  expect(factsAfter({ ...facts, cpu: "old" }, facts)).toBe(facts);
  fc.assert(
    fc.property(fc.constantFrom("hostname", "os", "kernel", "architecture"), fc.string(), (key, text) => {
      const said = { ...facts, [key]: text };
      expect(factsAfter(facts, said)).toBe(text === facts[key as "os"] ? facts : said);
    }),
  );
});

test("what was seen of a machine holds for the same kind at the same place, whatever else is said of it", () => {
  const known: Known = {
    ...{ member: memberOf(server("node5")), observed: after(sound), facts, told: {}, maintenance: undefined },
  };
  const keeps = (document: Member["document"]) =>
    knownOf(memberOf(document), known, undefined, 0).observed === known.observed;
  expect(keeps({ ...server("node5"), port: 22, user: "ada", labels: { gpu: "none" }, every: "1m" })).toBe(true);
  expect(keeps(server("node6"))).toBe(false);
  expect(keeps({ ...server("node5"), port: 23 })).toBe(false);
  expect(keeps({ ...server("node5"), jump: "bastion" })).toBe(false);
  expect(keeps(workstation("node5"))).toBe(false);
  expect(keeps(server("local"))).toBe(false);
});
