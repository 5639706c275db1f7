import fc from "fast-check";
import { expect, test } from "vitest";
import { backOffMs, formOf, judge, type Verdict } from "./forward.ts";

const nowMs = Date.parse("2026-11-21T10:00:00Z");
const answer = (status: number, text = "", retryAfter: string | null = null) =>
  judge({ status, text, retryAfter }, nowMs);

test.each<[status: number, kind: Verdict["kind"]]>([
  [200, "taken"],
  [204, "taken"],
  [301, "closed"],
  [400, "refused"],
  [401, "closed"],
  [404, "closed"],
  [413, "too large"],
  [422, "refused"],
  [429, "later"],
  [500, "later"],
  [503, "later"],
])("%i is %s", (status, kind) => {
  expect(answer(status).kind).toBe(kind);
});

test("a reason is what the target says, on one line and short", () => {
  expect(answer(400, "out of\n  order")).toEqual({ kind: "refused", reason: "it answers 400: out of order" });
  expect(answer(500)).toMatchObject({ reason: "it answers 500" });
  const { reason } = answer(500, "x".repeat(5_000)) as { reason: string };
  expect(reason.length).toBe(300);
});

test.each<[text: string, waitMs: number | undefined]>([
  ["7", 7_000],
  ["0", 0],
  ["Sat, 21 Nov 2026 10:01:00 GMT", 60_000],
  ["Sat, 21 Nov 2026 09:00:00 GMT", 0],
  ["86400", 600_000],
  ["soon", undefined],
])("Retry-After: %s", (text, waitMs) => {
  expect(answer(503, "", text)).toMatchObject({ kind: "later", waitMs });
});

test("waits grow, to half a minute, and never to nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const waitMs = backOffMs(failures, random);
      expect(waitMs).toBeGreaterThanOrEqual(125);
      expect(waitMs).toBeLessThanOrEqual(30_000);
    }),
  );
  expect([1, 2, 3, 8, 99].map((failures) => backOffMs(failures, 1))).toEqual([250, 500, 1_000, 30_000, 30_000]);
});

test("a form has matchers, and says which selector is none", () => {
  const url = "http://x";
  expect(formOf({ url })).toEqual({});
  expect(formOf({ url, only: ['{job="a"}'], labels: { hub: "x" } })).toEqual({
    only: [[{ name: "job", kind: "=", value: "a" }]],
    labels: { hub: "x" },
  });
  expect(() => formOf({ url, drop: ["{"] })).toThrow();
});
