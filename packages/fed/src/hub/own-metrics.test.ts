import { expect, test } from "vitest";
import { lateSeconds } from "./own-metrics.ts";

test.each([
  [20_000_000, 0],
  [20_500_000, 0.0005],
  [1_020_000_000, 1],
  [19_900_000, 0],
  // Nothing measured yet.
  [0, 0],
])("a loop measured every 20 ms and found after %i ns was %d s late", (betweenNs, seconds) => {
  expect(lateSeconds(betweenNs)).toBeCloseTo(seconds, 9);
});
