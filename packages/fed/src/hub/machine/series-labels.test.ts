import fc from "fast-check";
import { expect, test } from "vitest";
import { labelsOf, labelsToRecord } from "#engine/series/labels.ts";
import { isSeries, labelsIn } from "./series-labels.ts";

const own = labelsOf({ machine: "node5", job: "fed", instance: "node5" });

test("a machine cannot say whose a series is; what is no name is left out, and what is no text is mended", () => {
  const given = { job: "x", B: "1", a: "", "no-name": "x", __x: "x", long: "y".repeat(2_000), cut: "a\u0000b\ud800" };
  expect(labelsToRecord(labelsIn(own, "up", given) ?? [])).toEqual({
    ...{ machine: "node5", job: "fed", instance: "node5", __name__: "up" },
    ...{ exported_job: "x", B: "1", long: "y".repeat(1_024), cut: "a b\ufffd" },
  });
  expect(labelsIn(own, "no-name", {})).toBeUndefined();
});

const names = ["machine", "job", "exported_job", "__name__", "__x", "cpu", "Mode", "no-name"];
const values = ["", "node5", "fed", "0", "x\u0000"];
const said = fc.tuple(
  fc.constantFrom("up", "load"),
  fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...values)),
);

test("labels are in the order of their names, and what is said of a series is said of no other", () => {
  fc.assert(
    fc.property(said, said, ([metric, given], [otherMetric, otherGiven]) => {
      const labels = labelsIn(own, metric, given) ?? [];
      expect(labels).toEqual(labelsOf(labelsToRecord(labels)));
      const other = labelsIn(own, otherMetric, otherGiven) ?? [];
      if (isSeries(labels, otherMetric, otherGiven)) expect(other).toEqual(labels);
      const plain = Object.keys(given).every((name) => ["cpu", "Mode", "exported_job"].includes(name));
      if (plain && !Object.values(given).includes("x\u0000")) expect(isSeries(labels, metric, given)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
