import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KeptLog, type LogRetention, outdatedOf } from "./log.ts";

const retention: LogRetention = { perService: { instances: 3, bytes: 100 }, bytes: 250, maxAgeMs: 1_000 };
const nowMs = 10_000;

function log(instance: string, endedMs: number, sizeBytes: number, service = "api"): KeptLog {
  return { instance, environment: "dev", service, release: undefined, startedMs: 0, endedMs, exit: "", sizeBytes };
}

const gone = (logs: readonly KeptLog[]) => outdatedOf(logs, nowMs, retention).map(({ instance }) => instance);

describe("of what is kept goes", () => {
  test("nothing that is young, little and few", () => {
    expect(gone([log("a", 9_900, 10), log("b", 9_990, 10), log("c", 9_999, 10)])).toEqual([]);
  });

  test("what is too old, all of a service, too", () => {
    expect(gone([log("a", 9_000, 1), log("b", 8_000, 1), log("c", 9_001, 1)])).toEqual(["a", "b"]);
  });

  test("the oldest of a service that has too many, whatever their order", () => {
    expect(gone([log("b", 9_992, 1), log("d", 9_994, 1), log("a", 9_991, 1), log("c", 9_993, 1)])).toEqual(["a"]);
  });

  test("the oldest where there is no room, but never the newest of a service", () => {
    expect(gone([log("a", 9_991, 60), log("b", 9_992, 60)])).toEqual(["a"]);
    expect(gone([log("huge", 9_991, 900)])).toEqual([]);
    const services = ["x", "y", "z"].map((service, at) => log(service, 9_990 + at, 90, service));
    expect(gone([...services, log("older", 9_900, 5, "x"), log("oldest", 9_800, 80, "z")])).toEqual([
      "older",
      "oldest",
    ]);
  });

  test("so much that the rest keeps within the limits", () => {
    const any = fc.record({
      endedMs: fc.integer({ min: 8_000, max: nowMs }),
      sizeBytes: fc.integer({ min: 0, max: 120 }),
      service: fc.constantFrom("a", "b"),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (all) => {
        const logs = all.map((one, at) => log(`i${at}`, one.endedMs, one.sizeBytes, one.service));
        const out = new Set(outdatedOf(logs, nowMs, retention));
        const kept = logs.filter((one) => !out.has(one));
        for (const service of ["a", "b"]) {
          const own = kept.filter((one) => one.service === service);
          expect(own.length).toBeLessThanOrEqual(3);
          const bytes = own.reduce((sum, one) => sum + one.sizeBytes, 0);
          if (own.length > 1) expect(bytes).toBeLessThanOrEqual(120);
          const young = logs.filter((one) => one.service === service && one.endedMs > nowMs - 1_000);
          const newest = Math.max(...young.map(({ endedMs }) => endedMs));
          if (young.length > 0) expect(own.some(({ endedMs }) => endedMs === newest)).toBe(true);
        }
      }),
    );
  });
});
