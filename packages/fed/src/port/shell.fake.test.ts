import { Buffer } from "node:buffer";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeFakeShell } from "./shell.fake.ts";
import { shellSuite } from "./shell.suite.ts";

const going = () => new AbortController().signal;

shellSuite("fake", async () => {
  const shell = makeFakeShell(systemClock);
  return {
    ...{ shell, folder: "/tmp" },
    read: (path) => shell.files.get(path),
    async listen() {
      shell.listeners.set("/run/echo", (io) => io.pipe(io));
      return "/run/echo";
    },
  };
});

describe("the fake shell", () => {
  it("runs programs of a test, and remembers what was asked", async () => {
    const shell = makeFakeShell(handClock());
    shell.program("sh", async ({ stdin, write, environment }) => {
      for await (const line of stdin) write(`${environment.A}: ${Buffer.from(line)}`);
      return 3;
    });
    const stream = await shell.stream({ argv: ["sh"], environment: { A: "b" } }, going());
    expect(shell.running).toBe(1);
    stream.io.end("tick\n");
    expect(await text(stream.io)).toBe("b: tick\n");
    expect(await stream.ended).toEqual({ kind: "exited", code: 3 });
    expect(shell.asked).toEqual([{ argv: ["sh"], environment: { A: "b" } }]);
    expect(shell.running).toBe(0);
  });

  it("sleeps on the clock", async () => {
    const clock = handClock();
    const outcome = makeFakeShell(clock).run({ argv: ["sleep", "10"] }, { timeoutMs: 5_000 }, going());
    await clock.turn(5_000);
    expect(await outcome).toMatchObject({ kind: "timeout", tookMs: 5_000 });
    expect(clock.waiting).toBe(0);
  });

  it("is lost and comes back", async () => {
    const shell = makeFakeShell(handClock());
    const stream = await shell.stream({ argv: ["cat"] }, going());
    shell.fail(new Fault("unreachable", "its cable is cut"));
    expect(await stream.ended).toEqual({ kind: "lost", reason: "its cable is cut" });
    await expect(shell.run({ argv: ["true"] }, { timeoutMs: 1 }, going())).rejects.toThrow("its cable is cut");
    shell.fail(undefined);
    expect(await shell.run({ argv: ["true"] }, { timeoutMs: 1 }, going())).toMatchObject({ code: 0 });
  });
});
