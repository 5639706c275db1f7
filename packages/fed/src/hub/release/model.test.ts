import fc from "fast-check";
import { expect, test } from "vitest";
import { isFault } from "#base/fault.ts";
import { file, imageOf, labOf, makeReleaseScene, origin, resolvedOf, withVariable } from "./release.scene.ts";
import { isOpen } from "./release.ts";

/** Whatever people, labs, services and killed hubs do in whatever order: what is wanted stays what it should be. */

type Deed =
  | { readonly do: "edit"; readonly value: string }
  | { readonly do: "deploy" | "restart" | "cancel" | "serve" | "fail" | "giveUp" | "retry" | "kill" | "prepared" }
  | { readonly do: "publish"; readonly value: string }
  | { readonly do: "rollback"; readonly to: number | undefined };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant("edit" as const), value: fc.constantFrom("a", "b", "c") }),
  fc.record({ do: fc.constantFrom("deploy", "restart", "cancel", "fail", "giveUp", "retry", "kill") }),
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("serve", "prepared") }) },
  fc.record({ do: fc.constant("publish" as const), value: fc.constantFrom("1", "2") }),
  fc.record({
    do: fc.constant("rollback" as const),
    to: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  }),
);

const place = { environment: "dev", service: "shop" };
const reference = "registry.example:5000/shop:1";

async function live(deeds: readonly Deed[], kind: "process" | "image"): Promise<void> {
  await using scene = makeReleaseScene();
  const { registry, clock, take, wants } = scene;
  let { releases } = scene;
  registry.publish(reference);
  releases.begin();
  const base = resolvedOf("dev/shop", kind === "image" ? { workload: imageOf(reference) } : {});
  let lab = labOf([base]);
  take(lab);
  const wanted = () => wants.at(-1)?.wanted.services[0];
  /** Ids of releases that have served, as this test saw it. */
  const served = new Set<string>();
  let highest = 0;

  const act = async (one: Deed) => {
    switch (one.do) {
      case "edit":
        lab = labOf([withVariable(base, one.value)]);
        return take(lab, file, releases);
      case "publish":
        return void registry.publish(reference, { version: one.value });
      case "rollback":
        return void releases.rollback(place, one.to, origin);
      case "restart":
        return releases.restart("dev/shop", origin);
      case "deploy":
      case "cancel":
        return void releases[one.do](place, origin);
      case "retry":
        return releases.retry(origin);
      case "prepared":
        return clock.turn(0);
      case "serve":
        if (wanted()?.release) served.add(wanted()?.release?.id ?? "");
        releases.serving("dev/shop", wanted()?.spec ?? "");
        return clock.turn(0);
      case "fail":
      case "giveUp":
        return releases.failed("dev/shop", wanted()?.spec ?? "", {
          ...{ reason: "exit code 1", output: "", final: one.do === "giveUp" },
        });
      case "kill": {
        const before = wanted();
        await releases.close();
        releases = scene.open();
        take(lab, file, releases);
        // The same is wanted after it, and nothing is begun by it.
        expect(wanted()).toEqual(before);
        return releases.begin();
      }
    }
  };

  for (const one of deeds) {
    try {
      await act(one);
    } catch (thrown) {
      // Refused, as it should be; a defect is no refusal.
      if (!isFault(thrown) || thrown.code === "internal") throw thrown;
    }
    check();
  }
  // Whatever has happened, a good lab that serves ends all of it.
  await act({ do: "edit", value: "d" });
  await settle();
  await act({ do: "serve" });
  check();
  expect(releases.open()).toEqual([]);
  expect(wanted()).toMatchObject({ fields: { "env.X": "d" } });
  await releases.close();

  async function settle() {
    for (let round = 0; round < 100 && releases.preparing; round++) await clock.turn(1_000);
  }

  function check(): void {
    const open = releases.open();
    expect(open.length).toBeLessThanOrEqual(1);
    const now = wanted();
    const kept = releases.releases(place);
    const release = kept.find(({ id }) => id === now?.release?.id);
    if (now?.release) expect(release?.spec).toBe(now.spec);
    else expect(now?.held).toBeDefined();
    const newest = kept[0]?.number ?? 0;
    expect(newest).toBeGreaterThanOrEqual(highest);
    highest = newest;
    const [rolling] = open;
    if (rolling?.state === "rolling") expect(now?.release?.id).toBe(rolling.release);
    // With nothing under way what is wanted has served, as soon as anything ever has.
    if (rolling === undefined && served.size > 0) expect(served).toContain(now?.release?.id);
    if (rolling?.state === "preparing" && rolling.request.before !== undefined) {
      expect(now?.release?.id).toBe(rolling.request.before);
    }
    for (const rollout of releases.rollouts(place, 50)) {
      expect(rollout.endedMs === undefined).toBe(isOpen(rollout));
    }
  }
}

test("processes", () =>
  fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 40 }), (deeds) => live(deeds, "process")),
    { numRuns: 25 },
  ));

test("images", () =>
  fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 40 }), (deeds) => live(deeds, "image")),
    { numRuns: 25 },
  ));
