import { describe, expect, onTestFinished, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { makeRedactor } from "#base/redact.ts";
import { makeTrace, type TraceEntry } from "#base/trace.ts";
import type { EndedInstance, KeptLog, KeptLogs } from "#hub/log/verbs.ts";
import type { Instance, LogLine } from "#port/runtime.ts";
import { keepOutput } from "./keep.ts";
import { chooseInstances, type LogQuery, type OutputNeeds, readOutput } from "./output.ts";
import { makeSites } from "./site.scene.ts";

const signal = new AbortController().signal;
const query: LogQuery = { environment: "dev", service: "api", tail: 100, follow: false, gone: false };

const labels = { lab: "x", environment: "dev", service: "api", spec: "s", replica: 0, release: "rel_1" };

/** Kept logs in memory. */
function makeKept() {
  const kept = new Map<string, { readonly ended: EndedInstance; readonly lines: readonly LogLine[] }>();
  const of = ({ ended }: { readonly ended: EndedInstance }): KeptLog => ({ ...ended, sizeBytes: 1 });
  const logs: Pick<KeptLogs, "keep" | "list" | "find" | "read"> = {
    async keep(ended, lines) {
      kept.set(ended.instance, { ended, lines: await Array.fromAsync(lines) });
    },
    list: () => [...kept.values()].map(of),
    find: (instance) => {
      const one = kept.get(instance);
      return one && of(one);
    },
    async *read(instance) {
      yield* kept.get(instance)?.lines ?? [];
    },
  };
  return { logs, kept };
}

async function makeStage() {
  const clock = handClock();
  const redactor = makeRedactor();
  const { sites, processes } = makeSites(clock, { redactor });
  onTestFinished(() => sites.close());
  const { logs, kept } = makeKept();
  let live: readonly Instance[] = [];
  const start = async (id: string, ...texts: readonly string[]) => {
    await sites.start(
      "hub",
      {
        ...{ id, labels, environment: {}, limits: {} },
        workload: { kind: "process", command: ["x"], folder: "/" },
      },
      signal,
    );
    for (const text of texts) processes.print(id, text);
    live = await processes.list(signal);
  };
  const needs: OutputNeeds = {
    control: {
      world: {
        observe: async () => {
          live = await processes.list(signal);
        },
        get instances() {
          return live;
        },
      },
    } as unknown as OutputNeeds["control"],
    runtime: sites,
    kept: logs,
  };
  const remove = async (id: string) => {
    const [instance] = live.filter((one) => one.id === id);
    if (instance === undefined) throw new Error("no such instance");
    await sites.stop(id, 0, signal);
    const trace = makeTrace(
      () => 0,
      "debug",
      () => {},
    );
    await keepOutput({ sites, logs, clock, trace }, instance, true, signal);
    await sites.remove(id, signal);
  };
  const read = async (changes: Partial<LogQuery> = {}) => {
    const lines = await Array.fromAsync(readOutput(needs, { ...query, ...changes }, signal));
    return lines.map(({ instance, text }) => `${instance} ${text}`);
  };
  const forget = () => {
    live = [];
  };
  return { clock, redactor, sites, processes, kept, needs, start, remove, read, forget };
}

describe("the output of a service", () => {
  test("is that of what is there; of what is gone, too, when it is asked for", async () => {
    const { start, remove, read, processes, forget, needs } = await makeStage();
    await start("ins_1a", "one");
    await remove("ins_1a");
    await start("ins_2b", "two");
    expect((await processes.list(signal)).map(({ id }) => id)).toEqual(["ins_2b"]);
    expect(await read()).toEqual(["ins_2b two"]);
    expect(await read({ gone: true })).toEqual(["ins_1a one", "ins_2b two"]);
    expect(await read({ instance: "1a" })).toEqual(["ins_1a one"]);
    expect(await read({ instance: "ins_2b", follow: false })).toEqual(["ins_2b two"]);
    // Who follows what is gone comes to its end.
    expect(await read({ instance: "1a", follow: true })).toEqual(["ins_1a one"]);
    await remove("ins_2b");
    // It was removed while somebody was about to read it.
    expect(await read()).toEqual(["ins_2b two"]);
    forget();
    expect(await read()).toEqual([]);
    expect(() => chooseInstances({ gone: ["a_1", "b_1"], there: [] }, { gone: false, instance: "_1" })).toThrow(
      "several",
    );
    await expect(read({ instance: "zzz" })).rejects.toMatchObject({
      ...{ code: "missing", hint: "There is that of ins_1a, ins_2b." },
    });
    expect(needs.kept.list("dev", "api")).toMatchObject([{ exit: "stopped" }, { exit: "stopped" }]);
  });

  test("goes on with what comes, also of instances that start later", async () => {
    const { start, needs, processes } = await makeStage();
    await start("ins_1", "one");
    const stop = new AbortController();
    const lines = readOutput(needs, { ...query, follow: true }, stop.signal)[Symbol.asyncIterator]();
    const next = async () => ((await lines.next()).value as LogLine | undefined)?.text;
    expect(await next()).toBe("one");
    processes.print("ins_1", "two");
    expect(await next()).toBe("two");
    await start("ins_2", "three");
    expect(await next()).toBe("three");
    stop.abort();
    expect(await next()).toBeUndefined();
  });

  test("has no secret in it that the hub knows, kept or not", async () => {
    const { start, remove, read, redactor, kept } = await makeStage();
    redactor.know("DB", "hunter2#hunter2");
    await start("ins_1", "is hunter2#hunter2");
    expect(await read()).toEqual(["ins_1 is [secret DB]"]);
    await remove("ins_1");
    expect(JSON.stringify([...kept])).not.toContain("hunter2");
  });
});

describe("what is kept of an instance", () => {
  const instance: Instance = {
    ...{ id: "ins_1", labels, state: "exited", address: { host: "127.0.0.1", port: 0 }, startedMs: 1 },
    exit: { code: 3, atMs: 9 },
  };

  test("says of which it was, when it was and how it ended", async () => {
    const { logs, kept } = makeKept();
    async function* lines(): AsyncIterable<LogLine> {
      yield { instance: "ins_1", text: "bye", at: "1" };
    }
    const needs = {
      sites: { logs: lines },
      logs,
      clock: handClock(),
      trace: makeTrace(
        () => 0,
        "debug",
        () => {},
      ),
    };
    await keepOutput(needs, instance, false, signal);
    expect(kept.get("ins_1")).toEqual({
      ended: {
        ...{ instance: "ins_1", environment: "dev", service: "api", release: "rel_1" },
        ...{ startedMs: 1, endedMs: 9, exit: "exit code 3" },
      },
      lines: [{ instance: "ins_1", text: "bye", at: "1" }],
    });
  });

  test("is nothing when it cannot be read, which keeps nobody from removing it", async () => {
    const diary: TraceEntry[] = [];
    async function* lines(): AsyncIterable<LogLine> {
      yield { instance: "ins_1", text: "begun", at: "1" };
      throw new Fault("unreachable", "the machine is away");
    }
    const trace = makeTrace(
      () => 0,
      "debug",
      (entry) => void diary.push(entry),
    );
    const { logs } = makeKept();
    await keepOutput({ sites: { logs: lines }, logs, clock: handClock(), trace }, instance, false, signal);
    expect(diary).toMatchObject([{ level: "warn", facts: { instance: "ins_1", reason: "the machine is away" } }]);
    const stopped = AbortSignal.abort(new Error("the hub stops"));
    await expect(
      keepOutput({ sites: { logs: lines }, logs, clock: handClock(), trace }, instance, false, stopped),
    ).rejects.toThrow("the hub stops");
  });
});
