import type { WireArtifact, WireRelease, WireRollout } from "@fed/fed/wire/release.ts";
import { expect, test } from "vitest";
import {
  blockOf,
  comparedOf,
  likelyChoice,
  makerOf,
  promotionOf,
  releaseOfSpec,
  rollbackChoices,
  sameContent,
  servingOf,
} from "./services-release.ts";

const image = (id: string): WireArtifact => ({ kind: "image", id: `sha256:${id}` });
const release = (number: number, more: Partial<WireRelease> = {}): WireRelease => ({
  ...{ id: `rel_${number}`, environment: "dev", service: "api", number, spec: `spec${number}`, machine: "hub" },
  ...{ artifact: image("a"), madeMs: 0, madeBy: "user:ada", wanted: false, good: true },
  ...more,
});
const rollout = (state: WireRollout["state"], more: Partial<WireRollout> = {}): WireRollout => ({
  ...{ id: `rol_${state}`, environment: "dev", service: "api", cause: "deploy", state, reason: "", output: "" },
  ...{ beganMs: 0, by: "user:ada", correlation: "c", steps: [] },
  ...more,
});
const list = (releases: readonly WireRelease[], rollouts: readonly WireRollout[] = []) => ({ releases, rollouts });

test("while one is open no other begins, unless a first release fails again and again", () => {
  expect(blockOf(undefined)).toBeUndefined();
  expect(blockOf(list([], [rollout("done"), rollout("failed")]))).toBeUndefined();
  expect(blockOf(list([], [rollout("preparing")]))).toMatch(/under way/);
  expect(blockOf(list([], [rollout("rolling")]))).toMatch(/under way/);
  expect(blockOf(list([], [rollout("rolling", { reason: "exit code 1" })]))).toBeUndefined();
  const before = { id: "rel_1", number: 1 };
  expect(blockOf(list([], [rollout("rolling", { reason: "exit code 1", before })]))).toMatch(/under way/);
});

test("what serves is the one before while another is on its way", () => {
  const releases = [release(2, { wanted: true }), release(1)];
  const before = { id: "rel_1", number: 1 };
  expect(servingOf(list(releases, [rollout("rolling", { before })]))?.number).toBe(1);
  expect(servingOf(list(releases, [rollout("failed", { before })]))?.number).toBe(2);
  expect(servingOf(list(releases, [rollout("preparing")]))?.number).toBe(2);
  expect(servingOf(undefined)).toBeUndefined();
});

test("what serves elsewhere can be taken when it is an image, has served, and is another one", () => {
  const source = list([release(2, { wanted: true, artifact: image("b") })]);
  const target = list([release(1, { wanted: true, artifact: image("a") })]);
  expect(promotionOf("dev", source, target)).toMatchObject({ kind: "ready", release: { number: 2 } });
  expect(promotionOf("dev", source, list([]))).toMatchObject({ kind: "ready" });
  expect(promotionOf("dev", target, target)).toMatchObject({ why: expect.stringContaining("already") });
  expect(promotionOf("dev", list([]), target)).toMatchObject({ why: expect.stringContaining("Nothing") });
  const failed = list([release(2, { wanted: true, good: false })]);
  expect(promotionOf("dev", failed, target)).toMatchObject({ kind: "no" });
  const process = list([release(2, { wanted: true, artifact: { kind: "process" } })]);
  expect(promotionOf("dev", process, target)).toMatchObject({ why: expect.stringContaining("process") });
  expect(promotionOf("dev", undefined, target)).toBeUndefined();
});

test("a rollback means the newest before the wanted one that says something else", () => {
  const wanted = release(4, { wanted: true });
  const choices = rollbackChoices(list([release(5, { good: false }), wanted, release(3), release(2), release(1)]));
  expect(choices.map(({ number }) => number)).toEqual([3, 2, 1]);
  expect(likelyChoice(choices, wanted, new Set())).toBe(3);
  expect(likelyChoice(choices, wanted, new Set([3]))).toBe(2);
  expect(likelyChoice(choices, wanted, new Set([3, 2, 1]))).toBe(3);
  expect(likelyChoice([release(5)], wanted, new Set())).toBe(5);
  expect(likelyChoice([], wanted, new Set())).toBeUndefined();
  expect(sameContent([])).toBe(true);
  expect(sameContent([{ field: "restart", to: "1" }])).toBe(true);
  expect(
    sameContent([
      { field: "restart", to: "1" },
      { field: "env.A", from: "1" },
    ]),
  ).toBe(false);
});

test("compared are those of the address, else the wanted one with the one before it", () => {
  const all = list([release(3), release(2, { wanted: true }), release(1)]);
  expect(comparedOf(all, {})).toEqual({ from: 1, to: 2 });
  expect(comparedOf(all, { from: 3 })).toEqual({ from: 3, to: 2 });
  expect(comparedOf(all, { from: 1, to: 3 })).toEqual({ from: 1, to: 3 });
  expect(comparedOf(all, { from: 99, to: 77 })).toEqual({ from: 1, to: 2 });
  expect(comparedOf(all, { to: 1 })).toEqual({ from: 3, to: 1 });
  expect(comparedOf(list([release(1)]), {})).toBeUndefined();
});

test("a release is found by the spec of an instance, and its maker by its rollout; a return made nothing", () => {
  const two = release(2);
  const rollouts = [rollout("done", { cause: "rollback", release: two }), rollout("failed", { release: two })];
  const all = list([two, release(1)], rollouts);
  expect(releaseOfSpec(all, "spec1")?.number).toBe(1);
  expect(releaseOfSpec(all, "spec9")).toBeUndefined();
  expect(makerOf(all, two)?.state).toBe("failed");
  expect(makerOf(all, release(1))).toBeUndefined();
});
