/** What the process runtime promises beyond the contract of its port, against real processes. */

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import type { InstanceSpec, Runtime } from "#port/runtime.ts";
import { makeScene, readAll, type Scene } from "./instance.scene.ts";
import { isAlive, readProcess } from "./proc.ts";
import type { ProcessRuntime } from "./runtime.ts";

const going = () => new AbortController().signal;
let scene: Scene;
let runtime: ProcessRuntime;

beforeEach(async () => {
  scene = makeScene();
  runtime = await scene.open();
});
afterEach(() => scene.close());

describe("the environment of an instance", () => {
  it("is what is inherited, its own and what it is told, and nothing else of the hub's", async () => {
    process.env.FED_TEST_CANARY = "sings";
    const environment = { GREETING: "hello 'you' \"and\" $me\nagain", status: "mine", folder: "mine too", LANG: "C" };
    const { address, id } = await runtime.start(scene.shell("env -0 > seen", { environment }), going());
    const text = await readFrom("seen");
    process.env.FED_TEST_CANARY = "";
    const seen = Object.fromEntries(
      text.split("\0").map((pair) => [pair.split("=", 1)[0], pair.replace(/^[^=]*=/s, "")]),
    );
    expect(seen).toMatchObject({
      ...environment,
      PATH: "/usr/bin:/bin",
      PORT: String(address.port),
      HOST: "127.0.0.1",
      FED_INSTANCE: id,
      FED_SERVICE: "api",
      FED_ENVIRONMENT: "dev",
    });
    const more = Object.keys(seen).filter(
      (name) => !/^(GREETING|status|folder|LANG|PATH|PORT|HOST|FED_.*)$/.test(name),
    );
    // The shells say where they are, and (bash) what they run.
    expect(more.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_", ""].includes(name))).toEqual([]);
    expect(seen.FED_TEST_CANARY).toBeUndefined();
  });

  it("is told to the instance alone: no file, command line or diary holds it", async () => {
    const secret = "s3cret-canary";
    const { pid } = await runtime.start(scene.shell("exec sleep 1000", { environment: { TOKEN: secret } }), going());
    const rows = await scene.running();
    expect(rows.map((row) => row.pid)).toContain(pid);
    for (const row of rows) expect(readFileSync(`/proc/${row.pid}/cmdline`, "latin1")).not.toContain(secret);
    expect(readAll(scene.root)).not.toContain(secret);
    const bad = scene.shell("true", { id: `${scene.id}b`, environment: { TOKEN: `${secret}\0` } });
    const fault = await runtime.start(bad, going()).catch((thrown) => thrown);
    expect(fault).toMatchObject({ code: "invalid" });
    expect(JSON.stringify([String(fault), String(fault.cause), scene.diary])).not.toContain(secret);
  });

  it("refuses a name that the shell would drop in silence", async () => {
    const started = runtime.start(scene.shell("true", { environment: { "node.name": "a" } }), going());
    await expect(started).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining("node.name") });
  });
});

describe("a start that cannot be", () => {
  const run = (...command: string[]): InstanceSpec =>
    scene.shell("", { workload: { kind: "process", command, folder: scene.root } });

  it("names what is missing or denied, and leaves nothing", async () => {
    writeFileSync(join(scene.root, "plain"), "#!/bin/sh\n");
    chmodSync(join(scene.root, "plain"), 0o644);
    const away = { kind: "process", command: ["true"], folder: join(scene.root, "no such") } as const;
    await expect(runtime.start(run("./plain"), going())).rejects.toMatchObject({ code: "denied" });
    await expect(runtime.start(run("./absent"), going())).rejects.toMatchObject({ code: "missing" });
    await expect(runtime.start(run(""), going())).rejects.toMatchObject({ code: "invalid" });
    await expect(runtime.start(run("true", "a\0b"), going())).rejects.toMatchObject({ code: "invalid" });
    await expect(runtime.start(scene.shell("", { workload: away }), going())).rejects.toMatchObject({
      code: "missing",
      message: expect.stringContaining("no such"),
    });
    await expect(runtime.start(run("true", "x".repeat(200_000)), going())).rejects.toMatchObject({ code: "invalid" });
    await expect(runtime.start({ ...run("true"), id: "../x" }, going())).rejects.toMatchObject({ code: "invalid" });
    expect(await runtime.list(going())).toEqual([]);
    expect(readAll(scene.instances)).toBe("");
  });

  it("is told when another program has the port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(runtime.start(scene.shell("true", { port }), going())).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it("runs a script of the folder, words as they are", async () => {
    writeFileSync(join(scene.root, "own"), '#!/bin/sh\nprintf "%s|" "$@"\n', { mode: 0o755 });
    await runtime.start(run("./own", "a b", "$HOME", "'", "-x", ""), going());
    await untilExited();
    expect(await readLog(runtime)).toEqual(["a b|$HOME|'|-x||"]);
  });
});

describe("the end of an instance", () => {
  it("takes children along, also those that left its group or its session", async () => {
    const script = "sleep 1000 & setsid sleep 1000 & setsid sh -c 'trap \"\" TERM; echo ready; exec sleep 1000'; wait";
    await runtime.start(scene.shell(script), going());
    await untilPrinted("ready");
    expect((await scene.running()).length).toBeGreaterThan(3);
    await runtime.stop(scene.id, 100, going());
    expect(await scene.running()).toEqual([]);
  });

  it("leaves the newest of a flood of output", async () => {
    const flood =
      "i=0; while [ $i -lt 20 ]; do head -c 1000000 /dev/zero | tr '\\0' x; echo; i=$((i+1)); done; echo last";
    await runtime.start(scene.shell(flood), going());
    await untilExited();
    const file = join(scene.instances, scene.id, "log", "output");
    await vi.waitFor(() => expect(statSync(file).blocks * 512).toBeLessThan(11_000_000), { timeout: 5_000 });
    expect((await readLog(runtime)).at(-1)).toBe("last");
  });

  it("comes when asked for right after the start, though nothing listens yet", async () => {
    for (let i = 0; i < 10; i++) {
      const { id } = await runtime.start(scene.shell("exec sleep 1000", { id: `${scene.id}_${i}` }), going());
      await runtime.stop(id, 60_000, going());
    }
    const signals = (await runtime.list(going())).map(({ exit }) => exit?.signal);
    expect(signals).toEqual(Array(10).fill("SIGTERM"));
  });

  it("is not reached while something of it runs; what is left over gets time, then is ended", async () => {
    const clock = handClock();
    runtime = await scene.open(clock);
    const script = "(trap '' TERM; echo ready; exec sleep 1000) & read line <go; exit 4";
    makeFifo("go");
    await runtime.start(scene.shell(script), going());
    await untilPrinted("ready");
    writeFileSync(join(scene.root, "go"), "\n");
    await vi.waitFor(() => expect(existsSync(join(scene.instances, scene.id, "exit"))).toBe(true));
    expect(await runtime.list(going())).toMatchObject([{ state: "running" }]);
    await vi.waitFor(async () => {
      await clock.turn(1_000);
      expect(await runtime.list(going())).toMatchObject([{ state: "exited", exit: { code: 4 } }]);
    });
    expect(await scene.running()).toEqual([]);
  });

  it("is not that of its companion: killed alone, the command goes on and can be stopped", async () => {
    const { pid = 0 } = await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
    await untilPrinted("ready");
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(readProcess(pid)).toBeUndefined());
    expect(await runtime.list(going())).toMatchObject([{ state: "running" }]);
    runtime = await scene.open();
    expect(await runtime.list(going())).toMatchObject([{ state: "running" }]);
    await runtime.stop(scene.id, 5_000, going());
    expect(await scene.running()).toEqual([]);
    expect(await runtime.list(going())).toMatchObject([{ state: "exited" }]);
  });

  it("is noticed without anybody's word when the companion is gone", async () => {
    const clock = handClock();
    runtime = await scene.open(clock);
    const { pid = 0 } = await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
    await untilPrinted("ready");
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(readProcess(pid)).toBeUndefined());
    for (const row of await scene.running()) process.kill(row.pid, "SIGKILL");
    const events = runtime.watch(going())[Symbol.asyncIterator]();
    await vi.waitFor(async () => expect(await scene.running()).toEqual([]));
    const next = events.next();
    await clock.turn(2_000);
    const exit = { atMs: expect.any(Number) };
    expect((await next).value).toEqual({ kind: "exited", id: scene.id, exit });
  });
});

describe("limits", () => {
  it("that are not enforced here do not keep an instance from starting, and are told once", async () => {
    const { limits } = runtime.features;
    const more = { limits: { cpu: 0.5, memoryBytes: 100_000_000 } };
    await runtime.start(scene.shell("exec sleep 1000", more), going());
    await runtime.start(scene.shell("exec sleep 1000", { ...more, id: `${scene.id}b` }), going());
    expect(scene.diary.filter(({ level }) => level === "warn").length).toBe(limits.cpu && limits.memory ? 0 : 1);
  });

  it("of memory end what eats more, exactly where that is claimed", async () => {
    const eat = "head -c 300000000 /dev/zero | tail -c 300000000 | wc -c";
    await runtime.start(scene.shell(eat, { limits: { memoryBytes: 30_000_000 } }), going());
    await vi.waitFor(async () => expect(await runtime.list(going())).toMatchObject([{ state: "exited" }]), 20_000);
    const exit = runtime.features.limits.memory ? { signal: "SIGKILL", reason: "memory" } : { code: 0 };
    expect(await runtime.list(going())).toMatchObject([{ exit }]);
  });
});

describe("the next hub", () => {
  it("learns how an instance ended while none lived", async () => {
    makeFifo("go");
    await runtime.start(scene.shell("read line <go; exit 9"), going());
    await runtime.close();
    writeFileSync(join(scene.root, "go"), "\n");
    await vi.waitFor(async () => expect(await scene.running()).toEqual([]));
    runtime = await scene.open();
    expect(await runtime.list(going())).toMatchObject([{ state: "exited", exit: { code: 9 } }]);
  });

  it.each(["folder", "spawned", "started"])("finds everything labelled after kill -9 at the step: %s", async (step) => {
    const { code, signal } = await runHub(step);
    expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
    runtime = await scene.open();
    const [found, ...more] = await runtime.list(going());
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      id: scene.id,
      labels: { service: "api" },
      state: step === "folder" ? "exited" : "running",
    });
    const rows = await scene.running();
    expect(rows.length > 0).toBe(step !== "folder");
    await runtime.stop(scene.id, 5_000, going());
    await runtime.remove(scene.id, going());
    expect(await scene.running()).toEqual([]);
    expect(readAll(scene.instances)).toBe("");
  });

  it("finds an instance whose companion did not come to write down its number", async () => {
    const { pid } = await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
    await untilPrinted("ready");
    await runtime.close();
    rmSync(join(scene.instances, scene.id, "pid"));
    runtime = await scene.open();
    expect(await runtime.list(going())).toMatchObject([{ state: "running", pid }]);
  });

  it("sweeps half-made folders", async () => {
    mkdirSync(join(scene.instances, ".new-ins_x", "log"), { recursive: true });
    mkdirSync(join(scene.instances, ".gone-ins_y"));
    runtime = await scene.open();
    expect(await runtime.list(going())).toEqual([]);
    expect(existsSync(join(scene.instances, ".new-ins_x"))).toBe(false);
    expect(existsSync(join(scene.instances, ".gone-ins_y"))).toBe(false);
  });

  it.each([
    ["half", '{"id":'],
    ["another's", '{"id":"ins_z"}'],
    ["null", "null"],
    ["empty", ""],
  ])("reports a record that is %s, ends what nobody could name, and goes on", async (_, text) => {
    await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
    await untilPrinted("ready");
    await runtime.close();
    writeFileSync(join(scene.instances, scene.id, "instance.json"), text);
    runtime = await scene.open();
    expect(await runtime.list(going())).toEqual([]);
    expect(scene.diary.filter(({ level }) => level === "warn")).toHaveLength(1);
    await vi.waitFor(async () => expect(await scene.running()).toEqual([]));
    await runtime.remove(scene.id, going());
    expect(existsSync(join(scene.instances, scene.id))).toBe(false);
  });

  it("takes no stranger for its own: neither by number nor after a boot", async () => {
    const stranger = spawn("/bin/sleep", ["1000"], { detached: true, env: {}, stdio: "ignore" });
    const pid = stranger.pid ?? 0;
    try {
      await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
      await untilPrinted("ready");
      await runtime.close();
      for (const row of await scene.running()) process.kill(row.pid, "SIGKILL");
      await vi.waitFor(async () => expect(await scene.running()).toEqual([]));
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const earlier = stat.replace(` ${readProcess(pid)?.startTicks} `, " 1 ");
      writeFileSync(join(scene.instances, scene.id, "pid"), earlier);
      await expectUnknownEnd();
      const record = join(scene.instances, scene.id, "instance.json");
      rmSync(join(scene.instances, scene.id, "exit"));
      writeFileSync(join(scene.instances, scene.id, "pid"), stat);
      writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, "utf8")), boot: "another" }));
      await expectUnknownEnd();
      expect(isAlive({ pid, startTicks: readProcess(pid)?.startTicks ?? 0 })).toBe(true);
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  async function expectUnknownEnd(): Promise<void> {
    runtime = await scene.open();
    const [found] = await runtime.list(going());
    expect(found).toMatchObject({ state: "exited", exit: { atMs: expect.any(Number) } });
    expect(found?.exit).not.toHaveProperty("code");
    await runtime.stop(scene.id, 0, going());
    await runtime.close();
  }
});

describe("a closed runtime", () => {
  it("has let go of everything, and says so", async () => {
    await runtime.start(scene.shell("echo ready; exec sleep 1000"), going());
    const following = readLog(runtime, { follow: true });
    const events = runtime.watch(going())[Symbol.asyncIterator]().next();
    await untilPrinted("ready");
    const stopping = runtime.stop(scene.id, 60_000, going()).catch((thrown) => thrown);
    await runtime.close();
    expect(await following).toEqual(["ready"]);
    expect(await events).toMatchObject({ done: true });
    expect([undefined, "conflict"]).toContain((await stopping)?.code);
    await expect(runtime.list(going())).rejects.toMatchObject({ code: "conflict" });
    await expect(runtime.start(scene.shell("true"), going())).rejects.toMatchObject({ code: "conflict" });
  });
});

/** A hub of its own process that starts an instance and is killed at the step. */
async function runHub(step: string): Promise<{ code: number | null; signal: string | null }> {
  const spec = JSON.stringify(scene.shell("exec sleep 1000"));
  const script = `
    import { openProcessRuntime } from "#adapter/process/runtime.ts";
    import { systemClock } from "#base/clock.ts";
    import { silentTrace } from "#base/trace.ts";
    const die = (step) => { if (step === ${JSON.stringify(step)}) process.kill(process.pid, "SIGKILL"); };
    const runtime = await openProcessRuntime({ folder: ${JSON.stringify(scene.instances)}, clock: systemClock,
      trace: silentTrace, inherit: { PATH: "/usr/bin:/bin" }, onStep: die });
    await runtime.start(${spec}, new AbortController().signal);
    die("started");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
}

function makeFifo(name: string): void {
  execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", join(scene.root, name)]);
}

async function readFrom(name: string): Promise<string> {
  await untilExited();
  return readFileSync(join(scene.root, name), "utf8");
}

async function untilExited(): Promise<void> {
  await vi.waitFor(async () => expect(await runtime.list(going())).toMatchObject([{ state: "exited" }]));
}

async function untilPrinted(text: string): Promise<void> {
  for await (const line of runtime.logs(scene.id, { follow: true }, going())) if (line.text === text) return;
  throw new Error(`ended without printing ${text}`);
}

async function readLog(from: Runtime, options = {}): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const line of from.logs(scene.id, options, going())) texts.push(line.text);
  return texts;
}
