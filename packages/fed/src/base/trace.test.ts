import { describe, expect, it } from "vitest";
import { makeTrace, silentTrace, type TraceEntry } from "./trace.ts";

describe("makeTrace", () => {
  it("hands on what is at or above its level, with time and facts", () => {
    const entries: TraceEntry[] = [];
    const trace = makeTrace(
      () => 42,
      "info",
      (entry) => entries.push(entry),
    );
    trace.debug("looked");
    trace.info("started", { instance: "ins_1" });
    trace.warn("slow", { tookMs: 900 });
    trace.error("gone");
    expect(entries).toEqual([
      { atMs: 42, level: "info", message: "started", facts: { instance: "ins_1" } },
      { atMs: 42, level: "warn", message: "slow", facts: { tookMs: 900 } },
      { atMs: 42, level: "error", message: "gone", facts: {} },
    ]);
  });

  it("can keep nothing", () => {
    expect(() => silentTrace.error("unheard")).not.toThrow();
  });
});
