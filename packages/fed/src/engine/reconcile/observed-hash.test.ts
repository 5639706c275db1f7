import { expect, test } from "vitest";
import { observedHash } from "./observed-hash.ts";
import type { ObservedInstance } from "./plan.ts";

const a: ObservedInstance = {
  id: "i1",
  service: "prod/blog",
  spec: "a1",
  replica: 0,
  state: "running",
  health: "healthy",
  routed: true,
};
const b: ObservedInstance = { ...a, id: "i2", replica: 1 };
const hashOf = (...instances: ObservedInstance[]) => observedHash({ instances }, (text) => text);

test("the order of the list does not matter, nor does health, nor how it ended", () => {
  expect(hashOf(b, a)).toBe(hashOf(a, b));
  expect(hashOf({ ...a, health: "unhealthy", exit: "exit code 1" })).toBe(hashOf(a));
});

test.each<Partial<ObservedInstance>>([
  { id: "i3" },
  { service: "prod/api" },
  { spec: "b2" },
  { replica: 1 },
  { state: "exited" },
  { routed: false },
])("%j is another world", (change) => {
  expect(hashOf({ ...a, ...change })).not.toBe(hashOf(a));
});

test("one instance more is another world", () => {
  expect(hashOf(a, b)).not.toBe(hashOf(a));
  expect(hashOf()).not.toBe(hashOf(a));
});
