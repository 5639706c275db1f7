import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startNode, tempFolder, thrownBy } from "./fixture.ts";
import { holdLock, isLockHeld } from "./lock.ts";

const holdAndStay = (path: string) => `
  const { holdLock } = await import(here + "lock.ts");
  try {
    holdLock(${JSON.stringify(path)});
    process.stdout.write("held\\n");
    setInterval(() => {}, 1000);
  } catch (thrown) {
    process.stdout.write(thrown.code + "\\n");
  }`;

describe("isLockHeld", () => {
  it("knows a holder in this process and in another, alive or killed, whatever pid is written beside", async () => {
    const path = join(tempFolder(), "lock");
    expect(isLockHeld(path)).toBe(false);
    expect(existsSync(path)).toBe(false);
    const lock = holdLock(path);
    expect([isLockHeld(path), isLockHeld(path)]).toEqual([true, true]);
    // Looking has dropped nothing: nobody else gets it.
    const rival = startNode(holdAndStay(path));
    expect(await rival.line()).toBe("conflict");
    lock.close();
    expect(isLockHeld(path)).toBe(false);
    const other = startNode(holdAndStay(path));
    expect(await other.line()).toBe("held");
    expect(isLockHeld(path)).toBe(true);
    await other.kill();
    writeFileSync(`${path}.holder`, `${process.pid}\n`);
    expect(isLockHeld(path)).toBe(false);
    expect(statSync(path)).toMatchObject({ size: 0 });
  });

  it("never keeps somebody from taking it, however often it is asked", async () => {
    const path = join(tempFolder(), "lock");
    holdLock(path).close();
    const askers = [1, 2].map(() =>
      startNode(`
        const { isLockHeld } = await import(here + "lock.ts");
        isLockHeld(${JSON.stringify(path)});
        process.stdout.write("asks\\n");
        for (;;) isLockHeld(${JSON.stringify(path)});`),
    );
    for (const asker of askers) expect(await asker.line()).toBe("asks");
    for (let n = 0; n < 50; n++) holdLock(path).close();
  });

  it("does not take a file that is something else for a lock", async () => {
    const path = join(tempFolder(), "notes");
    writeFileSync(path, "these are my notes. ".repeat(100));
    expect(await thrownBy(() => isLockHeld(path))).toMatchObject({ code: "invalid" });
  });
});

describe("holdLock", () => {
  it("has one holder in this process, and is free once given up", async () => {
    const path = join(tempFolder(), "lock");
    const lock = holdLock(path);
    expect(await thrownBy(() => holdLock(path))).toMatchObject({
      code: "conflict",
      message: `${path} is held by this process`,
      details: { pid: process.pid },
    });
    lock.close();
    lock.close();
    expect(existsSync(`${path}.holder`)).toBe(false);
    const again = holdLock(path);
    expect(await thrownBy(() => holdLock(path))).toMatchObject({ code: "conflict" });
    again.close();
  });

  it("leaves an empty file for its user alone, and no journal", () => {
    const folder = tempFolder();
    const lock = holdLock(join(folder, "lock"));
    expect(readdirSync(folder).sort()).toEqual(["lock", "lock.holder"]);
    expect(statSync(join(folder, "lock"))).toMatchObject({ size: 0 });
    expect(statSync(join(folder, "lock")).mode & 0o777).toBe(0o600);
    lock.close();
    expect(readdirSync(folder)).toEqual(["lock"]);
  });

  it("is free the moment its holder was killed with -9, though a child of the holder lives", async () => {
    const path = join(tempFolder(), "lock");
    const holder = startNode(`
      const { spawn } = await import("node:child_process");
      ${holdAndStay(path)}
      const child = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
      process.stdout.write(child.pid + "\\n");`);
    expect(await holder.line()).toBe("held");
    const childPid = Number(await holder.line());
    try {
      expect(await thrownBy(() => holdLock(path))).toMatchObject({
        code: "conflict",
        message: `${path} is held by process ${holder.process.pid}`,
        hint: `See what it is: ps -p ${holder.process.pid}`,
      });
      await holder.kill();
      expect(() => process.kill(childPid, 0)).not.toThrow();
      holdLock(path).close();
    } finally {
      process.kill(childPid, "SIGKILL");
    }
  });

  it("goes to exactly one of several that come at once", async () => {
    const path = join(tempFolder(), "lock");
    const rivals = [1, 2, 3, 4].map(() => startNode(holdAndStay(path)));
    const outcomes = await Promise.all(rivals.map((rival) => rival.line()));
    expect(outcomes.sort()).toEqual(["conflict", "conflict", "conflict", "held"]);
  });

  it("is kept though nobody keeps what it returned", async () => {
    const path = join(tempFolder(), "lock");
    const holder = startNode(`
      const { setFlagsFromString } = await import("node:v8");
      setFlagsFromString("--expose-gc");
      const { runInNewContext } = await import("node:vm");
      const { holdLock } = await import(here + "lock.ts");
      holdLock(${JSON.stringify(path)});
      for (let i = 0; i < 5; i++) {
        runInNewContext("gc")();
        await new Promise(setImmediate);
      }
      process.stdout.write("collected\\n");
      setInterval(() => {}, 1000);`);
    expect(await holder.line()).toBe("collected");
    expect(await thrownBy(() => holdLock(path))).toMatchObject({ code: "conflict" });
  });

  it("does not take a file that is something else, nor a folder", async () => {
    const folder = tempFolder();
    const path = join(folder, "notes");
    writeFileSync(path, "these are my notes. ".repeat(100));
    expect(await thrownBy(() => holdLock(path))).toMatchObject({ code: "invalid" });
    expect(await thrownBy(() => holdLock(folder))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("a folder"),
    });
    expect(await thrownBy(() => holdLock(join(folder, "none", "lock")))).toMatchObject({ code: "missing" });
  });
});
