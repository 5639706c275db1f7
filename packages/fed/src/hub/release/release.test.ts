import fc from "fast-check";
import { expect, test } from "vitest";
import type { Facts } from "./compose.ts";
import { composeWanted } from "./compose.ts";
import { imageOf, resolvedOf, withVariable } from "./release.scene.ts";
import {
  type Artifact,
  canonical,
  liveOf,
  prunable,
  type Release,
  type Rollout,
  rollbackTarget,
  rolloutForLab,
  type Standing,
  specOf,
} from "./release.ts";
import { changesBetween, fieldsShown } from "./view.ts";

const shop = resolvedOf("dev/shop", { workload: imageOf("shop:1") });

function releaseOf(number: number, said: Partial<Release> = {}): Release {
  const artifact: Artifact = said.artifact ?? { kind: "image", id: `sha256:${number}` };
  const made = specOf(said.resolved ?? shop, artifact, undefined);
  return {
    ...{ id: `rel_${number}`, environment: "dev", service: "shop", number, spec: made.spec, wish: shop.wish },
    ...{ resolved: { ...shop, ...made }, artifact, madeMs: number, madeBy: "ada" },
    ...said,
  };
}

const standing = (said: Partial<Standing> = {}): Standing => ({
  ...{ row: undefined, wanted: undefined, open: undefined, good: new Set<string>() },
  ...said,
});

const rowOf = (wish: string, release: string | undefined) => ({
  ...{ environment: "dev", service: "shop", release, wish, stopped: false },
  ...{ replicas: undefined, labReplicas: undefined },
});

test("a lab that says the same begins nothing, whatever else stands", () => {
  fc.assert(
    fc.property(fc.constantFrom("preparing", "rolling", undefined), fc.boolean(), (state, good) => {
      const open = state && ({ state, request: { resolved: shop, wish: shop.wish } } as Rollout);
      const wanted = releaseOf(1);
      const here = standing({ row: rowOf(shop.wish, wanted.id), wanted, open, good: new Set(good ? [wanted.id] : []) });
      expect(rolloutForLab(shop, here, undefined)).toBeUndefined();
    }),
  );
});

test("whoever fails goes back to what has served, never to what has not", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.option(fc.constantFrom("rel_0", "rel_1"), { nil: undefined }), (good, before) => {
      const wanted = releaseOf(1);
      const proven = standing({ row: rowOf("old", wanted.id), wanted, good: new Set(good ? [wanted.id] : []) });
      expect(rolloutForLab(shop, proven, undefined)?.before).toBe(good ? wanted.id : undefined);
      // In the middle of another one, which has not proven itself.
      const open = { state: "rolling", request: { resolved: shop, wish: "old", before } } as Rollout;
      expect(liveOf({ ...proven, open })).toBe(before);
      expect(rolloutForLab(shop, { ...proven, open }, undefined)?.before).toBe(before);
    }),
  );
});

test("an image stays with the lab's word for it; where it is promoted, it stays whatever the lab says", () => {
  const wanted = releaseOf(1);
  const here = standing({ row: rowOf("old", wanted.id), wanted });
  const moved = resolvedOf("dev/shop", { workload: imageOf("shop:2") });
  const source = { environment: "staging", artifact: { kind: "image", id: "sha256:9" } as const };
  expect(rolloutForLab(withVariable(shop, "b"), here, undefined)?.artifact).toEqual(wanted.artifact);
  expect(rolloutForLab(moved, here, undefined)?.artifact).toBeUndefined();
  expect(rolloutForLab(moved, here, source)?.artifact).toEqual(wanted.artifact);
  expect(rolloutForLab(moved, standing(), source)).toMatchObject({
    artifact: source.artifact,
    promotedFrom: "staging",
  });
  expect(rolloutForLab(moved, standing(), { environment: "staging", artifact: undefined })?.artifact).toBeUndefined();
});

const drawn = fc.record({
  good: fc.boolean(),
  inUse: fc.boolean(),
  restart: fc.boolean(),
  /** So few that some are the same but for a restart. */
  content: fc.integer({ min: 0, max: 4 }),
});

test("what is pruned is never in use, and so many good ones stay to go back to, the newest first", () => {
  fc.assert(
    fc.property(fc.array(drawn, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (specs, kept) => {
      const releases = specs.map(({ content }, at) =>
        releaseOf(at + 1, { artifact: { kind: "image", id: `sha256:${content}` } }),
      );
      const ids = (by: "good" | "inUse" | "restart") =>
        new Set(releases.filter((_, at) => specs[at]?.[by]).map(({ id }) => id));
      const uses = { good: ids("good"), inUse: ids("inUse"), restarts: ids("restart") };
      const gone = prunable(releases, uses, kept);
      const left = releases.filter((one) => !gone.includes(one));
      expect(gone.filter(({ id }) => uses.inUse.has(id))).toEqual([]);
      const originals = releases.filter(({ id }) => uses.good.has(id) && !uses.restarts.has(id));
      for (const one of originals.slice(-kept)) {
        // Only one that somebody has made of something else since takes its place.
        const newer = releases.filter(({ id, number }) => uses.good.has(id) && number > one.number);
        if (newer.length < kept) expect(left).toContain(one);
      }
      expect(left.length).toBeLessThanOrEqual(2 * kept + uses.inUse.size + 1);
    }),
  );
});

test("restarts do not push out what can be gone back to", () => {
  const releases = [1, 2, 3, 4, 5, 6].map((number) =>
    releaseOf(number, { artifact: { kind: "image", id: `sha256:${Math.min(number, 2)}` } }),
  );
  const ids = releases.map(({ id }) => id);
  const uses = { good: new Set(ids), inUse: new Set(ids.slice(5)), restarts: new Set(ids.slice(2)) };
  expect(prunable(releases, uses, 2).map(({ number }) => number)).toEqual([5, 4, 3]);
});

test("a rollback without a number goes to the newest good one before, and not to the same again", () => {
  const releases = [1, 2, 3, 4].map((number) => releaseOf(number));
  const [first, second, third, fourth] = releases as [Release, Release, Release, Release];
  const all = new Set(releases.map(({ id }) => id));
  expect(rollbackTarget(releases, fourth, all)).toBe(third);
  expect(rollbackTarget(releases, fourth, new Set([first.id, second.id]))).toBe(second);
  expect(rollbackTarget(releases, first, all)).toBeUndefined();
  const same = releaseOf(3, { artifact: fourth.artifact, spec: "made anew" });
  expect(rollbackTarget([first, second, same, fourth], fourth, all)).toBe(second);
});

test("the spec of a process is that of its fields; an image and a restart are fields of it, each once", () => {
  const api = resolvedOf("dev/api");
  expect(specOf(api, { kind: "process" }, undefined)).toEqual({ fields: api.fields, spec: api.spec });
  const image = { kind: "image", id: "sha256:1" } as const;
  const made = specOf(api, image, "4");
  expect(made.fields).toEqual({ ...api.fields, image: "sha256:1", restart: "4" });
  expect(specOf(made, image, "4")).toEqual(made);
  expect(specOf(made, { kind: "process" }, undefined).spec).toBe(api.spec);
});

test("the canonical text does not hang on the order of keys, nor on what is not said", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), (value, entries) => {
      const object = { value, ...entries };
      const turned = Object.fromEntries(Object.entries(object).reverse());
      expect(canonical({ ...turned, absent: undefined, none: {}, empty: [] })).toBe(
        canonical({ ...object, absent: undefined, none: {}, empty: [] }),
      );
    }),
  );
  expect(canonical({ a: undefined, b: [], c: {}, d: 0, e: "" })).toBe('{"d":0,"e":""}');
});

test("the diff of two releases has every field that differs, and turned around tells the way back", () => {
  const fields = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1", "2"));
  fc.assert(
    fc.property(fields, fields, (from, to) => {
      const changes = changesBetween(from, to);
      const after: Record<string, string> = { ...from };
      for (const { field, to: value } of changes) {
        if (value === undefined) delete after[field];
        else after[field] = value;
      }
      expect(after).toEqual({ ...to });
      expect(changesBetween(to, from)).toEqual(
        changes.map(({ field, from: before, to: next }) => ({
          field,
          ...(next === undefined ? {} : { from: next }),
          ...(before === undefined ? {} : { to: before }),
        })),
      );
    }),
  );
});

test("what a release says names secrets by version, and has no value of one", () => {
  const resolved = resolvedOf("dev/shop", {
    workload: imageOf("shop:1"),
    route: "shop.localhost",
    needs: ["dev/db"],
    variables: {
      LOG: { kind: "text", text: "debug" },
      DB: { kind: "secret", name: "SHOP_DB", version: 3 },
      KEY_FILE: { kind: "secretFile", name: "SHOP_KEY" },
    },
  });
  const artifact = { kind: "image", id: "sha256:1", digest: "shop@sha256:2", commit: "c0ffee" } as const;
  expect(fieldsShown({ resolved, artifact })).toMatchObject({
    ...{ machine: "hub", stopGrace: "10s", route: "shop.localhost", needs: "dev/db" },
    ...{ image: "sha256:1", digest: "shop@sha256:2", commit: "c0ffee" },
    "env.LOG": "debug",
    "env.DB": "secret SHOP_DB (version 3)",
    "env.KEY_FILE": "file with secret SHOP_KEY",
  });
});

test("no host name is wanted twice, whatever the releases say", () => {
  const host = fc.option(fc.constantFrom("a.lan", "A.lan", "b.lan"), { nil: undefined });
  fc.assert(
    fc.property(fc.array(fc.record({ now: host, earlier: host }), { maxLength: 6 }), (services) => {
      const taken = new Set<string>();
      const facts = services.map(({ now, earlier }, at): Facts => {
        const key = `dev/s${at}`;
        // The lab itself says no host name twice: its checks refuse that.
        const route = now !== undefined && !taken.has(now.toLowerCase()) ? now : undefined;
        if (route !== undefined) taken.add(route.toLowerCase());
        const release = releaseOf(1, { resolved: resolvedOf(key, { route: earlier }) });
        return { resolved: resolvedOf(key, { route }), row: rowOf("", release.id), release, last: undefined };
      });
      const { services: wanted } = composeWanted("lab", facts);
      const hosts = wanted.flatMap(({ route }) => (route === undefined ? [] : [route.toLowerCase()]));
      expect(new Set(hosts).size).toBe(hosts.length);
      // Who has it by the lab and by its release keeps it.
      for (const [at, { resolved, release }] of facts.entries()) {
        const route = resolved.route?.toLowerCase();
        if (route !== undefined && release?.resolved.route?.toLowerCase() === route) {
          expect(wanted[at]?.route?.toLowerCase()).toBe(route);
        }
      }
    }),
  );
});
