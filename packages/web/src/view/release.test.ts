import { rolloutCauses, rolloutStates } from "@fed/fed/wire/release.ts";
import { expect, test } from "vitest";
import {
  aftermathText,
  artifactText,
  causeText,
  isOpen,
  lastTryOf,
  lookOfRollout,
  rolloutText,
  shortCommit,
  shortImage,
} from "./release.ts";

const release = { id: "rel_1", number: 4 };

test("only what is under way moves, and is open", () => {
  for (const state of rolloutStates) expect(lookOfRollout(state).moving === true).toBe(isOpen({ state }));
});

test("a rollout says what it is about in each state, with its release and without", () => {
  const words = rolloutStates.map((state) => rolloutText({ state, release, cause: "deploy", reason: "" }));
  expect(words).toEqual([
    "Release 4 is being prepared",
    "Release 4 is being rolled out",
    "Release 4 was rolled out",
    "Release 4 failed",
    "Release 4 was cancelled",
  ]);
  expect(rolloutText({ state: "preparing", cause: "apply", reason: "" })).toBe("The next release is being prepared");
  const same = { state: "done", cause: "apply", reason: "release 4 is the same and serves already" } as const;
  expect(rolloutText({ ...same, release })).toBe("Nothing was to be done");
  expect(rolloutText({ ...same, reason: "" })).toBe("Nothing was to be done");
  expect(rolloutText({ state: "rolling", release, cause: "rollback", reason: "" })).toBe("Release 4 is coming back");
});

test("of many tries the steps of the last are shown, and what was broken off stands there once", () => {
  const step = (id: string, text: string, state: "done" | "failed" | "skipped") => ({ id, text, state, startedMs: 1 });
  const start = (state: "done" | "failed") => step("dev/api start 0 c0ffee", "start replica 0", state);
  const check = (state: "done" | "skipped") => step("dev/api check c0ffee", "wait until it is healthy", state);
  const build = step("prepare 1", "build ./api on hub", "done");
  expect(lastTryOf([])).toEqual({ steps: [], earlier: 0 });
  const first = [build, start("done"), check("skipped"), check("done")];
  expect(lastTryOf(first)).toEqual({ steps: [build, start("done"), check("done")], earlier: 0 });
  expect(lastTryOf([...first, start("failed"), check("skipped"), start("failed"), check("skipped")])).toEqual({
    steps: [start("failed"), check("skipped")],
    earlier: 2,
  });
});

test("its cause names where it comes from", () => {
  expect(rolloutCauses.map((cause) => causeText({ cause, release }))).toEqual([
    "change of the lab",
    "deploy",
    "back to release 4",
    "promotion",
    "restart",
  ]);
  expect(causeText({ cause: "deploy", promotedFrom: "dev" })).toBe("promotion from dev");
  expect(causeText({ cause: "rollback", release, promotedFrom: "dev" })).toBe("back to release 4");
});

test("after a failure it says what serves", () => {
  expect(aftermathText({ state: "failed", before: release })).toBe("Release 4 serves as before.");
  expect(aftermathText({ state: "cancelled" })).toBe("No earlier release serves.");
  expect(aftermathText({ state: "done", before: release })).toBe("");
});

test("ids are cut to what people compare by; that something was not committed stays to be seen", () => {
  const id = `sha256:${"0123456789abcdef".repeat(4)}`;
  expect(shortImage(id)).toBe("0123456789ab");
  expect(shortCommit("deadbeefcafe0123")).toBe("deadbeef");
  expect(shortCommit("deadbeefcafe0123-dirty")).toBe("deadbeef-dirty");
  expect(artifactText({ kind: "image", id, source: "api", digest: "api@sha256:1" })).toEqual({
    text: "image 0123456789ab",
    title: `built from api, api@sha256:1, ${id}`,
  });
  expect(artifactText({ kind: "process" }).text).toBe("process");
});
