import type { MachineDocument } from "@fed/lab";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelsOf, labelsToRecord } from "#engine/series/labels.ts";
import { isSameSource, labelsOfTarget, standingAfter, targetsIn, unproven } from "./exporter.ts";

const machine = (exporters: MachineDocument["exporters"], every?: "3s"): MachineDocument => ({
  ...{ kind: "server", address: "10.0.0.5" },
  ...(exporters && { exporters }),
  ...(every && { every }),
});

describe("the exporters of a lab", () => {
  test("are named by their machine, and say which host and port they are at", () => {
    const targets = targetsIn({
      hub: machine(undefined),
      node5: machine({
        node: { url: "http://10.0.0.5:9100/metrics" },
        probe: { url: "https://[fd00::5]/probe?target=x", every: "30s", timeout: "5s", labels: { site: "home" } },
      }),
      quick: machine({ node: { url: "http://q/metrics" } }, "3s"),
    });
    expect([...targets.keys()]).toEqual(["node5/node", "node5/probe", "quick/node"]);
    expect(targets.get("node5/node")).toEqual({
      ...{ machine: "node5", name: "node", url: "http://10.0.0.5:9100/metrics", auth: undefined },
      ...{ everyMs: 10_000, timeoutMs: 10_000 },
      labels: { machine: "node5", job: "node", instance: "10.0.0.5:9100" },
    });
    expect(targets.get("node5/probe")).toMatchObject({
      ...{ everyMs: 30_000, timeoutMs: 5_000 },
      labels: { machine: "node5", job: "probe", instance: "[fd00::5]:443", site: "home" },
    });
    expect(targets.get("quick/node")).toMatchObject({ everyMs: 3_000, timeoutMs: 3_000, labels: { instance: "q:80" } });
  });

  test("are the same source for as long as their labels are", () => {
    const one = (url: string, labels?: Record<string, string>) => {
      const [target] = targetsIn({ a: machine({ x: { url, ...(labels && { labels }) } }) }).values();
      if (target === undefined) throw new Error("no target");
      return target;
    };
    expect(isSameSource(one("http://a:1/x"), one("http://a:1/y"))).toBe(true);
    expect(isSameSource(one("http://a:1/x"), one("http://a:2/x"))).toBe(false);
    expect(isSameSource(one("http://a:1/x"), one("http://a:1/x", { b: "c" }))).toBe(false);
  });
});

describe("what a series bears", () => {
  const own = { machine: "node5", job: "node", instance: "h:1" };

  test.each([
    [{}, own],
    [{ a: "b" }, { a: "b", ...own }],
    [{ machine: "node6" }, { exported_machine: "node6", ...own }],
    [
      { job: "x", exported_job: "y" },
      { exported_job: "y", exported_exported_job: "x", ...own },
    ],
    [
      { machine: "x86_64", job: "fed", instance: "node6", exported_machine: "z" },
      {
        ...own,
        exported_machine: "z",
        exported_exported_machine: "x86_64",
        exported_job: "fed",
        exported_instance: "node6",
      },
    ],
  ])("%j", (told, expected) => {
    const labels = labelsOfTarget(labelsOf({ __name__: "m", ...told } as Record<string, string>), own);
    expect(labelsToRecord(labels)).toEqual({ __name__: "m", ...expected });
  });

  test("always is what the hub says, whatever it says itself, and nothing that it says is lost", () => {
    const name = fc.constantFrom("machine", "job", "instance", "exported_job", "exported_exported_job", "x");
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ minLength: 1, maxLength: 3 })), (told) => {
        const merged = labelsToRecord(labelsOfTarget(labelsOf(told), own));
        expect(merged).toMatchObject(own);
        const values = (record: Readonly<Record<string, string>>) => Object.values(record).sort();
        expect(values(merged)).toEqual(
          values({ ...told, machine: "", job: "", instance: "" })
            .filter((value) => value !== "")
            .concat(
              Object.values(own),
              ["machine", "job", "instance"].flatMap((one) => told[one] ?? []),
            )
            .sort(),
        );
      }),
    );
  });
});

describe("how an exporter does", () => {
  const run = (...scrapes: readonly (readonly [error: string, isThere?: boolean, lacks?: string])[]) => {
    const problems: string[] = [];
    let standing = unproven;
    for (const [error, isThere = true, lacks = ""] of scrapes) {
      standing = standingAfter(standing, { error, lacks }, isThere);
      problems.push(standing.problem);
    }
    return problems;
  };

  test("is a problem at once when it never answered, and after three failures when it did", () => {
    expect(run(["a"], ["b"], [""])).toEqual(["a", "b", ""]);
    expect(run([""], ["a"], ["b"], ["c"], ["d"], [""], ["e"])).toEqual(["", "", "", "c", "d", "", ""]);
  });

  test("is no news of a machine that is not there", () => {
    expect(run(["a", false], ["b", false], ["c"])).toEqual(["", "", "c"]);
    expect(run([""], ["a"], ["b"], ["c"], ["d", false], ["e"], ["f"], ["g"])).toEqual([
      ...["", "", "", "c", "", "", "", "g"],
    ]);
  });

  test("is a problem in part for as long as a part is missing", () => {
    expect(run(["", true, "two"], ["", true, "three"], [""])).toEqual(["two", "three", ""]);
  });
});
