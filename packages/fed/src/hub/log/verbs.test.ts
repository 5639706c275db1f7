import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeRedactor } from "#base/redact.ts";
import { migrate } from "#disk/migrate.ts";
import { openDatabase } from "#disk/sqlite.ts";
import { migrations } from "#hub/db/db.ts";
import type { LogLine, LogOptions } from "#port/runtime.ts";
import { readLines, writeLines } from "./file.ts";
import { type EndedInstance, openKeptLogs } from "./verbs.ts";

const signal = new AbortController().signal;

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed-log-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openScene() {
  const data = await makeFolder();
  const db = openDatabase(join(data, "control.db"));
  onTestFinished(() => db.close());
  migrate(db, migrations);
  const clock = handClock();
  const redactor = makeRedactor();
  const folder = join(data, "logs");
  const logs = openKeptLogs({ db, folder, clock, redactor });
  const files = async () => (await readdir(folder, { recursive: true })).filter((name) => name.includes(".")).sort();
  const read = async (instance: string, options: Pick<LogOptions, "tail" | "after"> = {}) => {
    const lines: LogLine[] = [];
    for await (const line of logs.read(instance, options, signal)) lines.push(line);
    return lines;
  };
  return { logs, db, clock, redactor, folder, files, read };
}

function ended(instance: string, changes: Partial<EndedInstance> = {}): EndedInstance {
  return {
    ...{ instance, environment: "dev", service: "api", release: "rel_1", exit: "exit code 1" },
    ...{ startedMs: 1_000, endedMs: 1_700_000_000_000, ...changes },
  };
}

async function* linesOf(texts: readonly string[], end?: () => void): AsyncIterable<LogLine> {
  for (const [at, text] of texts.entries()) yield { instance: "x", text, at: String(at + 1) };
  end?.();
}

describe("what an instance wrote", () => {
  test("is there once it is gone, as the runtime told it", async () => {
    const { logs, read } = await openScene();
    await logs.keep(ended("ins_1"), linesOf(["one", "", "tab\tand ✓", "four"]), signal);
    const all = [
      { instance: "ins_1", text: "one", at: "1" },
      { instance: "ins_1", text: "", at: "2" },
      { instance: "ins_1", text: "tab\tand ✓", at: "3" },
      { instance: "ins_1", text: "four", at: "4" },
    ];
    expect(await read("ins_1")).toEqual(all);
    expect(await read("ins_1", { tail: 2 })).toEqual(all.slice(2));
    expect(await read("ins_1", { tail: 0 })).toEqual([]);
    expect(await read("ins_1", { tail: 9 })).toEqual(all);
    expect(await read("ins_1", { tail: 1, after: "2" })).toEqual(all.slice(2));
    expect(await read("ins_1", { after: "4" })).toEqual([]);
    expect(logs.find("ins_1")).toEqual({ ...ended("ins_1"), sizeBytes: 30 });
    await expect(read("ins_2")).rejects.toMatchObject({ code: "missing" });
  });

  test("is kept once, however often the hub comes to it", async () => {
    const { logs, read, files } = await openScene();
    await logs.keep(ended("ins_1"), linesOf(["one"]), signal);
    await logs.keep(ended("ins_1"), linesOf(["one", "two"]), signal);
    expect((await read("ins_1")).map(({ text }) => text)).toEqual(["one", "two"]);
    expect(await files()).toEqual(["dev/api/ins_1.log"]);
  });

  test("is kept though an earlier try is given up meanwhile", async () => {
    const { logs, read, files } = await openScene();
    const [goOn, fail] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* held(text: string, until: Promise<void>): AsyncIterable<LogLine> {
      yield { instance: "x", text, at: "1" };
      await until;
    }
    const first = logs.keep(ended("ins_1"), held("given up", fail.promise), signal);
    const second = logs.keep(ended("ins_1"), held("kept", goOn.promise), signal);
    await vi.waitFor(async () => expect(await files()).toHaveLength(2));
    fail.reject(new Error("the plan is out of date"));
    await expect(first).rejects.toThrow("out of date");
    await logs.sweep();
    goOn.resolve();
    await second;
    expect((await read("ins_1")).map(({ text }) => text)).toEqual(["kept"]);
    expect(await files()).toEqual(["dev/api/ins_1.log"]);
  });

  test("of one that wrote nothing is that it was there", async () => {
    const { logs, read } = await openScene();
    await logs.keep(ended("ins_1", { release: undefined }), linesOf([]), signal);
    expect(await read("ins_1")).toEqual([]);
    expect(logs.list("dev", "api")).toMatchObject([{ instance: "ins_1", sizeBytes: 0, release: undefined }]);
    expect(logs.list("prod", "api")).toEqual([]);
  });

  test("loses the secrets that it said", async () => {
    const { logs, read, redactor, folder } = await openScene();
    redactor.know("DB", "hunter2#hunter2");
    await logs.keep(ended("ins_1"), linesOf(["password hunter2#hunter2 refused"]), signal);
    expect(await read("ins_1")).toMatchObject([{ text: "password [secret DB] refused" }]);
    expect(await readFile(join(folder, "dev/api/ins_1.log"), "utf8")).not.toContain("hunter2");
  });

  test("is kept whole or not at all", async () => {
    const { logs, files } = await openScene();
    const stop = new AbortController();
    const late = () => stop.abort(new Fault("timeout", "too late"));
    await expect(logs.keep(ended("ins_1"), linesOf(["one"], late), stop.signal)).rejects.toThrow("too late");
    const broken = () => {
      throw new Fault("unreachable", "the machine is away");
    };
    await expect(logs.keep(ended("ins_1"), linesOf(["one"], broken), signal)).rejects.toThrow("is away");
    expect(logs.find("ins_1")).toBeUndefined();
    expect(await files()).toEqual([]);
  });
});

test("times of files, which have parts of a millisecond, are taken", async () => {
  const { logs } = await openScene();
  await logs.keep(ended("ins_1", { startedMs: 1.5, endedMs: 1_700_000_000_000.25 }), linesOf([]), signal);
  expect(logs.find("ins_1")).toMatchObject({ startedMs: 1, endedMs: 1_700_000_000_000 });
});

test("the last lines are kept of one that wrote much", async () => {
  const path = join(await makeFolder(), "much.log");
  const texts = Array.from({ length: 10_000 }, (_, at) => `line ${at} ${"x".repeat(at % 90)}`);
  const size = await writeLines(path, linesOf(texts), { keptBytes: 100_000 });
  expect(size).toBeGreaterThanOrEqual(100_000);
  expect(size).toBeLessThan(210_000);
  const kept: string[] = [];
  for await (const { text } of readLines(path, {}, signal)) kept.push(text);
  expect(kept.length).toBeGreaterThan(1_000);
  expect(kept).toEqual(texts.slice(-kept.length));
  for await (const { text } of readLines(path, { tail: 1 }, signal)) expect(text).toBe(texts.at(-1));
});

test("what is too much goes, with its file", async () => {
  const { logs, files } = await openScene();
  for (let i = 10; i < 35; i++) {
    await logs.keep(ended(`ins_${i}`, { endedMs: 1_700_000_000_000 + i }), linesOf(["x"]), signal);
  }
  expect(logs.list("dev", "api").map(({ instance }) => instance)).toEqual(
    Array.from({ length: 20 }, (_, at) => `ins_${at + 15}`),
  );
  expect(await files()).toHaveLength(20);
});

test("a sweep removes what is too old, and what a killed hub has left", async () => {
  const { logs, clock, folder, files, db } = await openScene();
  await logs.sweep();
  await logs.keep(ended("ins_1"), linesOf(["one"]), signal);
  await mkdir(join(folder, "prod/web"), { recursive: true });
  for (const name of ["dev/api/ins_1.log.new", "dev/api/ins_2.log.old", "prod/web/ins_3.log"]) {
    await writeFile(join(folder, name), "");
  }
  await logs.sweep();
  expect(await files()).toEqual(["dev/api/ins_1.log"]);
  await clock.turn(30 * 86_400_000);
  await logs.sweep();
  expect(await files()).toEqual([]);
  expect(db.prepare("SELECT count(*) AS n FROM kept_log", (row) => row.n).first()).toBe(0);
});

test("names that a machine gives lead nowhere else", async () => {
  const { logs, folder } = await openScene();
  const outside = join(folder, "..");
  const before = await readdir(outside);
  for (const wrong of [{ environment: "../x" }, { environment: ".." }, { service: "../../x" }, { service: "" }]) {
    await expect(logs.keep(ended("ins_1", wrong), linesOf(["one"]), signal)).rejects.toMatchObject({ code: "invalid" });
  }
  await expect(logs.keep(ended("../../../x"), linesOf(["one"]), signal)).rejects.toMatchObject({ code: "invalid" });
  expect(await readdir(outside)).toEqual(before);
});

test("a sweep leaves alone what is being written", async () => {
  const { logs, read } = await openScene();
  async function* slow(): AsyncIterable<LogLine> {
    yield { instance: "x", text: "x".repeat(300_000), at: "1" };
    await logs.sweep();
    yield { instance: "x", text: "end", at: "2" };
  }
  await logs.keep(ended("ins_1"), slow(), signal);
  expect(await read("ins_1", { tail: 1 })).toMatchObject([{ text: "end" }]);
});
