import { expect, test } from "vitest";
import { stopLimitMs } from "./stop-limit.ts";

const service = (key: string, stopGraceMs: number, ...needs: readonly string[]) => ({ key, stopGraceMs, needs });

test("a stop may take as long as the longest chain of needs, each with its grace", () => {
  const none = stopLimitMs([]);
  const one = stopLimitMs([service("a", 10_000)]);
  expect(one).toBeGreaterThanOrEqual(none + 20_000);
  expect(stopLimitMs([service("a", 10_000), service("b", 10_000)])).toBe(one);
  const chain = [service("a", 10_000), service("b", 10_000, "a"), service("c", 60_000, "b", "gone")];
  expect(stopLimitMs(chain)).toBe(none + 2 * (one - none) + (one - none) + 100_000);
  expect(stopLimitMs([service("a", 10_000, "b"), service("b", 10_000, "a")])).toBeLessThan(2 * one);
});
