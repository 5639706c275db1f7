/** The contract of the port `runtime`: what holds for every product that runs instances. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBehaviour } from "./runtime.fake.ts";
import {
  type Given,
  going,
  labels,
  makeSpec,
  nextEvent,
  type RuntimeUnderTest,
  read,
  untilPrinted,
} from "./runtime.scene.ts";
import type { RuntimeEvent, Workload } from "./runtime.ts";
import { givenContract, insideContract } from "./runtime-inside.suite.ts";

const graceful: FakeBehaviour = { prints: ["ready"], onTerm: "says bye" };

export function runtimeSuite(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(`runtime ${name}`, () => {
    const given = {} as Given;
    beforeEach(async () => {
      given.under = await make();
      given.runtime = given.under.runtime;
      const tag = randomUUID().slice(0, 8);
      let count = 0;
      given.id = (name) => `ins_${tag}_${name}`;
      given.start = async (behaviour = {}, more = {}) => {
        const id = given.id(count++);
        return given.runtime.start(await makeSpec(given, id, behaviour, more), going());
      };
    });
    afterEach(() => given.under.close());

    describe("start", () => startContract(given));
    describe("stop", () => stopContract(given));
    describe("end and remove", () => endContract(given));
    describe("logs", () => logContract(given));
    describe("what it is given", () => givenContract(given));
    describe("inside", () => insideContract(given));
    describe("watch", () => watchContract(given));
    describe("the next hub", () => adoptContract(given));
  });
}

function startContract(given: Given): void {
  it("runs what it is given, and reads its labels back", async () => {
    expect(await given.runtime.list(going())).toEqual([]);
    const beforeMs = Date.now() - 1_000;
    const made = await given.start();
    expect(made).toMatchObject({ id: given.id("0"), labels, state: "running", address: { host: "127.0.0.1" } });
    expect(made.startedMs).toBeGreaterThan(beforeMs);
    expect(await given.runtime.list(going())).toEqual([made]);
  });

  it("lists in order of id, each with a port of its own", async () => {
    const ids = ["c", "a", "b"].map(given.id);
    const made = await Promise.all(ids.map((id) => given.start({}, { id })));
    expect((await given.runtime.list(going())).map(({ id }) => id)).toEqual([...ids].sort());
    expect(new Set(made.map(({ address }) => address.port)).size).toBe(3);
  });

  it("gives the port that is asked for, to one at a time", async () => {
    const { address } = await given.start();
    await given.runtime.stop(given.id("0"), 5_000, going());
    expect((await given.start({}, { port: address.port })).address).toEqual(address);
    await expect(given.start({}, { port: address.port })).rejects.toMatchObject({ code: "conflict" });
    expect((await given.runtime.list(going())).map(({ id }) => id)).toEqual([0, 1].map(given.id));
  });

  it("refuses an id that is used, running or ended", async () => {
    await given.start({}, { id: given.id("x") });
    await expect(given.start({}, { id: given.id("x") })).rejects.toMatchObject({ code: "conflict" });
    await given.runtime.stop(given.id("x"), 5_000, going());
    await expect(given.start({}, { id: given.id("x") })).rejects.toMatchObject({ code: "conflict" });
    expect(await given.runtime.list(going())).toMatchObject([{ id: given.id("x"), state: "exited" }]);
  });

  it("refuses two starts of one id at once but for one", async () => {
    const both = await Promise.allSettled([
      given.start({}, { id: given.id("x") }),
      given.start({}, { id: given.id("x") }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await given.runtime.list(going())).toMatchObject([{ id: given.id("x"), state: "running" }]);
  });

  it("refuses a command that does not exist, and leaves nothing", async () => {
    await expect(given.start({ absent: true })).rejects.toMatchObject({ code: "missing" });
    expect(await given.runtime.list(going())).toEqual([]);
  });

  it("refuses the kinds of workload it does not name", async () => {
    const all: readonly Workload[] = [
      { kind: "image", reference: "example.org/a:1" },
      { kind: "build", folder: "/nowhere" },
    ];
    for (const workload of all.filter(({ kind }) => !given.runtime.features.workloads.includes(kind)))
      await expect(given.start({}, { workload })).rejects.toMatchObject({ code: "unsupported" });
    expect(await given.runtime.list(going())).toEqual([]);
  });

  it("starts nothing once it is aborted", async () => {
    const spec = await makeSpec(given, given.id("x"), {}, {});
    await expect(given.runtime.start(spec, AbortSignal.abort("enough"))).rejects.toBe("enough");
    expect(await given.runtime.list(going())).toEqual([]);
  });
}

function stopContract(given: Given): void {
  it("lets an instance end in its own way", async () => {
    const { id } = await given.start(graceful);
    await untilPrinted(given, id, "ready");
    await given.runtime.stop(id, 10_000, going());
    const [ended] = await given.runtime.list(going());
    expect(ended).toMatchObject({ id, labels, state: "exited", exit: { code: 0, atMs: expect.any(Number) } });
    expect(ended?.exit?.signal).toBeUndefined();
    expect(ended?.pid).toBeUndefined();
    expect(await read(given.runtime, id)).toEqual(["ready", "bye"]);
  });

  it("tells of the signal when that is what ended it", async () => {
    const { id } = await given.start({ prints: ["ready"] });
    await untilPrinted(given, id, "ready");
    await given.runtime.stop(id, 10_000, going());
    expect(await given.runtime.list(going())).toMatchObject([{ state: "exited", exit: { signal: "SIGTERM" } }]);
  });

  it("forces what ignores it, not before the grace is over", async () => {
    const { id } = await given.start({ prints: ["ready"], onTerm: "ignores" });
    await untilPrinted(given, id, "ready");
    const startedMs = performance.now();
    await given.runtime.stop(id, 200, going());
    expect(performance.now() - startedMs).toBeGreaterThan(195);
    expect(await given.runtime.list(going())).toMatchObject([{ state: "exited", exit: { signal: "SIGKILL" } }]);
  });

  it("can be asked by several at once, by each with its own grace, and again", async () => {
    const { id } = await given.start({ prints: ["ready"], onTerm: "ignores" });
    await untilPrinted(given, id, "ready");
    await Promise.all([given.runtime.stop(id, 60_000, going()), given.runtime.stop(id, 50, going())]);
    await given.runtime.stop(id, 60_000, going());
    expect(await given.runtime.list(going())).toMatchObject([{ state: "exited", exit: { signal: "SIGKILL" } }]);
  });

  it("knows no instance, so nothing is to be stopped", async () => {
    await given.runtime.stop(given.id("unknown"), 1_000, going());
    expect(await given.runtime.list(going())).toEqual([]);
  });

  it("can be given up, and asked again", async () => {
    const { id } = await given.start({ prints: ["ready"], onTerm: "ignores" });
    await untilPrinted(given, id, "ready");
    const controller = new AbortController();
    const stopped = given.runtime.stop(id, 60_000, controller.signal);
    controller.abort("enough");
    await expect(stopped).rejects.toBe("enough");
    expect(await given.runtime.list(going())).toMatchObject([{ state: "running" }]);
    await given.runtime.stop(id, 20, going());
    expect(await given.runtime.list(going())).toMatchObject([{ state: "exited" }]);
  });
}

function endContract(given: Given): void {
  it.each<[FakeBehaviour["ends"], object]>([
    [{ code: 0 }, { code: 0 }],
    [{ code: 3 }, { code: 3 }],
    [{ code: 127 }, { code: 127 }],
    [{ signal: "SIGKILL" }, { signal: "SIGKILL" }],
    [{ signal: "SIGSEGV" }, { signal: "SIGSEGV" }],
  ])("tells how an instance ended by itself: %o", async (ends, exit) => {
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.start(ends ? { ends } : {});
    expect(await ended).toMatchObject({ id, exit });
    expect(await given.runtime.list(going())).toMatchObject([{ id, state: "exited", exit }]);
  });

  it("removes only what has ended, with its output", async () => {
    const { id } = await given.start({ prints: ["ready"] });
    await expect(given.runtime.remove(id, going())).rejects.toMatchObject({ code: "conflict" });
    expect(await given.runtime.list(going())).toMatchObject([{ id, state: "running" }]);
    await given.runtime.stop(id, 5_000, going());
    await given.runtime.remove(id, going());
    expect(await given.runtime.list(going())).toEqual([]);
    await expect(read(given.runtime, id)).rejects.toMatchObject({ code: "missing" });
    await given.runtime.remove(id, going());
  });
}

function logContract(given: Given): void {
  const many = Array.from({ length: 30 }, (_, i) => `line ${i} – ü`);

  it("gives all, or the last few", async () => {
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.start({ prints: many, ends: { code: 0 } });
    await ended;
    expect(await read(given.runtime, id)).toEqual(many);
    expect(await read(given.runtime, id, { tail: 3 })).toEqual(many.slice(-3));
    expect(await read(given.runtime, id, { tail: 30 })).toEqual(many);
    expect(await read(given.runtime, id, { tail: 1_000 })).toEqual(many);
    expect(await read(given.runtime, id, { tail: 0 })).toEqual([]);
    expect(await read(given.runtime, id, { tail: 2, follow: true })).toEqual(many.slice(-2));
  });

  it("goes on behind any line that was read before", async () => {
    const ended = nextEvent(given.runtime, "exited");
    const { id } = await given.start({ prints: many, ends: { code: 0 } });
    await ended;
    const places: string[] = [];
    for await (const { at } of given.runtime.logs(id, {}, going())) places.push(at);
    expect(new Set(places).size).toBe(many.length);
    for (const [index, after] of places.entries()) {
      expect(await read(given.runtime, id, { after, tail: 3, follow: true })).toEqual(many.slice(index + 1));
    }
    for (const after of ["", "x", "-1", "1.5"]) {
      await expect(read(given.runtime, id, { after })).rejects.toMatchObject({ code: "invalid" });
    }
  });

  it("goes on with new lines until the instance has ended", async () => {
    const { id } = await given.start(graceful);
    await untilPrinted(given, id, "ready");
    const followed = read(given.runtime, id, { follow: true });
    await given.runtime.stop(id, 10_000, going());
    expect(await followed).toEqual(["ready", "bye"]);
  });

  it("goes on until the signal aborts, then ends quietly", async () => {
    const { id } = await given.start(graceful);
    const controller = new AbortController();
    const texts: string[] = [];
    for await (const line of given.runtime.logs(id, { follow: true }, controller.signal)) {
      texts.push(line.text);
      controller.abort();
    }
    expect(texts).toEqual(["ready"]);
    expect(await read(given.runtime, id, { follow: true }, AbortSignal.abort())).toEqual([]);
  });

  it("knows no instance of that id", async () => {
    await expect(read(given.runtime, given.id("unknown"))).rejects.toMatchObject({ code: "missing" });
  });
}

function watchContract(given: Given): void {
  it("tells every watcher what happens after it began, until its signal aborts", async () => {
    await given.start({}, { id: given.id("before") });
    const controller = new AbortController();
    const watchers = [given.runtime.watch(controller.signal), given.runtime.watch(controller.signal)];
    const { id } = await given.start(graceful);
    await untilPrinted(given, id, "ready");
    await given.runtime.stop(id, 10_000, going());
    await given.runtime.remove(id, going());
    for (const watcher of watchers) {
      const seen: RuntimeEvent[] = [];
      for await (const event of watcher) {
        seen.push(event);
        if (event.kind === "removed") break;
      }
      expect(seen).toMatchObject([
        { kind: "started", id },
        { kind: "exited", id, exit: { code: 0 } },
        { kind: "removed", id },
      ]);
    }
    const late = given.runtime.watch(controller.signal)[Symbol.asyncIterator]().next();
    controller.abort();
    expect(await late).toMatchObject({ done: true });
  });
}

function adoptContract(given: Given): void {
  it("finds what runs, as it was, and can do with it what the first could", async () => {
    const made = await given.start(graceful);
    await untilPrinted(given, made.id, "ready");
    given.runtime = await given.under.reopen();
    expect(await given.runtime.list(going())).toEqual([made]);
    await expect(given.start({}, { id: made.id })).rejects.toMatchObject({ code: "conflict" });
    await expect(given.start({}, { port: made.address.port })).rejects.toMatchObject({ code: "conflict" });
    const ended = nextEvent(given.runtime, "exited");
    const followed = read(given.runtime, made.id, { follow: true });
    await given.runtime.stop(made.id, 10_000, going());
    expect(await ended).toMatchObject({ id: made.id, exit: { code: 0 } });
    expect(await followed).toEqual(["ready", "bye"]);
    await given.runtime.remove(made.id, going());
    expect(await given.runtime.list(going())).toEqual([]);
  });

  it("finds what has ended, and how", async () => {
    const ended = nextEvent(given.runtime, "exited");
    await given.start({ prints: ["last words"], ends: { code: 7 } });
    await ended;
    const before = await given.runtime.list(going());
    given.runtime = await given.under.reopen();
    const after = await given.runtime.list(going());
    expect(after).toMatchObject([{ state: "exited", exit: { code: 7 } }]);
    expect(after.map(({ exit, ...rest }) => rest)).toEqual(before.map(({ exit, ...rest }) => rest));
    expect(await read(given.runtime, given.id("0"))).toEqual(["last words"]);
  });
}
