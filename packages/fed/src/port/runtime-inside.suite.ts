/** The contract of the port `runtime`: what an instance is given, what it uses, and commands inside it. */
import { expect, it, vi } from "vitest";
import { type Given, going, nextEvent, read, untilPrinted } from "./runtime.scene.ts";

export function givenContract(given: Given): void {
  it("finds its variables, and its secrets in files that are gone with it", async () => {
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.start(
      { shows: ["COLOUR", "EMPTY"], reads: ["PASSWORD_FILE", "KEY_FILE"], ends: { code: 0 } },
      {
        environment: { COLOUR: 'bl=ue "$HOME"', EMPTY: "" },
        files: { PASSWORD_FILE: { name: "PASSWORD", content: "pass" }, KEY_FILE: { name: "KEY", content: "k\ney" } },
      },
    );
    await ended;
    expect(await read(given.runtime, id)).toEqual(['bl=ue "$HOME"', "", "pass", "k", "ey"]);
    expect(JSON.stringify(await given.runtime.list(going()))).not.toContain("pass");
  });
}

export function insideContract(given: Given): void {
  it("tells what running instances use, and leaves out the others", async () => {
    const { id } = await given.start({ prints: ["ready"] });
    await untilPrinted(given, id, "ready");
    const ended = nextEvent(given.runtime, "exited");
    const other = await given.start({ ends: { code: 0 } });
    await ended;
    const [use, ...rest] = await given.runtime.stats([given.id("unknown"), id, other.id], going());
    expect(rest).toEqual([]);
    expect(use).toMatchObject({ id });
    expect(use?.cpuSeconds).toBeGreaterThanOrEqual(0);
    expect(use?.cpuSeconds).toBeLessThan(60);
    expect(use?.memoryBytes).toBeGreaterThan(10_000);
    expect(await given.runtime.stats([], going())).toEqual([]);
  });

  it("runs a command inside a running instance, with its environment", async () => {
    const { id } = await given.start({ prints: ["ready"] }, { environment: { COLOUR: "blue" } });
    await untilPrinted(given, id, "ready");
    if (!given.runtime.features.commands) {
      const refused = given.runtime.run(id, ["true"], 5_000, going());
      return expect(refused).rejects.toMatchObject({ code: "unsupported" });
    }
    const run = (script: string, timeoutMs = 10_000) => given.runtime.run(id, ["sh", "-c", script], timeoutMs, going());
    const said = await run("echo $COLOUR; echo bad >&2; exit 3");
    // Two streams: which comes first is chance.
    expect({ ...said, output: said.output.split("\n").sort() }).toEqual({ code: 3, output: ["", "bad", "blue"] });
    expect(await run("echo first; sleep 60", 1_000)).toMatchObject({ code: 124 });
    const absent = await given.runtime.run(id, ["no-such-command-of-fed"], 10_000, going());
    expect(absent).toMatchObject({ code: 127, output: expect.stringContaining("no-such-command-of-fed") });
    await given.runtime.stop(id, 0, going());
    await expect(run("true")).rejects.toMatchObject({ code: "missing" });
    await expect(given.runtime.run(given.id("unknown"), ["true"], 5_000, going())).rejects.toMatchObject({
      code: "missing",
    });
  });

  it("ends a command that takes too long or is given up, with all that it began, and nothing else", async () => {
    const { commands, workloads } = given.runtime.features;
    // What runs beside others on a machine has no list of its own to look at.
    if (!commands || workloads.includes("process")) return;
    const { id } = await given.start({ prints: ["ready"] });
    await untilPrinted(given, id, "ready");
    const run = (argv: readonly string[], timeoutMs: number, signal = going()) =>
      given.runtime.run(id, argv, timeoutMs, signal);
    const left = async () => (await run(["ps"], 10_000)).output.split("\n").filter((line) => /sleep 12\d\d/.test(line));
    const other = run(["sleep", "1200"], 30_000);
    other.catch(() => {});
    await vi.waitFor(async () => expect(await left()).toHaveLength(1), { timeout: 10_000 });
    // One of its own session, and one that hears no signal that may be ignored.
    const stubborn = "trap '' TERM INT HUP; setsid sleep 1201 & sleep 1202 & sleep 1203";
    expect(await run(["sh", "-c", stubborn], 1_000)).toMatchObject({ code: 124 });
    expect(await left()).toEqual([expect.stringContaining("sleep 1200")]);
    const controller = new AbortController();
    const abandoned = run(["sleep", "1204"], 30_000, controller.signal);
    abandoned.catch(() => {});
    await vi.waitFor(async () => expect(await left()).toHaveLength(2), { timeout: 10_000 });
    controller.abort("enough");
    await expect(abandoned).rejects.toBe("enough");
    await vi.waitFor(async () => expect(await left()).toHaveLength(1), { timeout: 10_000 });
    await given.runtime.stop(id, 0, going());
    await other;
  });
}
