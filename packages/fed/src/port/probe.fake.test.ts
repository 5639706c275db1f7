import { describe, expect, it } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeFakeProbe } from "./probe.fake.ts";

const address = { host: "127.0.0.1", port: 80 };
const run = { command: ["true"], folder: "/", environment: {} };
const going = () => new AbortController().signal;

describe("the fake probe", () => {
  it("is healthy until told otherwise, and remembers what was asked", async () => {
    const probe = makeFakeProbe(handClock());
    expect(await probe.http(address, "/health", 100, going())).toEqual({ kind: "healthy", tookMs: 0 });
    probe.answer((question) => (question.kind === "tcp" ? { unhealthy: "connection refused" } : "healthy"));
    expect(await probe.tcp(address, 100, going())).toEqual({ kind: "unhealthy", reason: "connection refused" });
    expect(await probe.command(run, 100, going())).toEqual({ kind: "healthy", tookMs: 0 });
    expect(probe.asked).toEqual([
      { kind: "http", address, path: "/health" },
      { kind: "tcp", address },
      { kind: "command", run },
    ]);
  });

  it("hangs until the limit is over", async () => {
    const clock = handClock();
    const probe = makeFakeProbe(clock);
    probe.answer(() => "hang");
    const outcome = probe.tcp(address, 100, going());
    await clock.turn(100);
    expect(await outcome).toEqual({ kind: "unhealthy", reason: "no answer within 0.1 s" });
    expect(clock.waiting).toBe(0);
  });

  it("rejects with the reason of an abort", async () => {
    const clock = handClock();
    const probe = makeFakeProbe(clock);
    probe.answer(() => "hang");
    const controller = new AbortController();
    const outcome = probe.tcp(address, 100, controller.signal);
    controller.abort("enough");
    await expect(outcome).rejects.toBe("enough");
    await expect(probe.tcp(address, 100, controller.signal)).rejects.toBe("enough");
    expect(clock.waiting).toBe(0);
  });
});
