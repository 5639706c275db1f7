import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "#base/clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { FakeBehaviour } from "#port/runtime.fake.ts";
import { runtimeSuite } from "#port/runtime.suite.ts";
import type { InstanceSpec, Workload } from "#port/runtime.ts";
import { openProcessRuntime } from "./runtime.ts";

const { PATH = "/usr/bin:/bin" } = process.env;
const inherit = { PATH };
const going = () => new AbortController().signal;

/** A shell that behaves as it is told. */
function behaving({ absent, prints = [], shows = [], reads = [], onTerm = "dies", ends }: FakeBehaviour): Workload {
  if (absent) return { kind: "process", command: ["no-such-command-of-fed"], folder: "/" };
  const trap = { dies: "", ignores: "trap '' TERM; ", "says bye": "trap 'echo bye; exit 0' TERM; " }[onTerm];
  const end = !ends
    ? "while :; do sleep 0.05; done"
    : "code" in ends
      ? `exit ${ends.code}`
      : `kill -s ${ends.signal.slice(3)} $$`;
  const say = "printf '%s\\n' \"$@\"; ";
  const values = shows.map((variable) => `printf '%s\\n' "$${variable}"; `).join("");
  const files = reads.map((variable) => `cat "$${variable}"; echo; `).join("");
  return {
    kind: "process",
    command: [
      "sh",
      "-c",
      `exec 2>/dev/null; ${trap}${prints.length > 0 ? say : ""}${values}${files}${end}`,
      "sh",
      ...prints,
    ],
    folder: "/",
  };
}

async function openAt(folder: string) {
  return openProcessRuntime({ folder, clock: systemClock, trace: silentTrace, inherit });
}

async function endAll(folder: string): Promise<void> {
  const runtime = await openAt(folder);
  for (const { id } of await runtime.list(going())) await runtime.stop(id, 0, going());
  await runtime.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

runtimeSuite("process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fed-process-"));
  let runtime = await openAt(folder);
  return {
    runtime,
    async reopen() {
      await runtime.close();
      runtime = await openAt(folder);
      return runtime;
    },
    workload: behaving,
    async close() {
      await runtime.close();
      await endAll(folder);
    },
  };
});

const spec = (id: string, command: readonly string[], more: Partial<InstanceSpec> = {}): InstanceSpec => ({
  id,
  labels: { lab: "ocean", environment: "dev", service: "api", spec: "5a5a", replica: 0 },
  workload: { kind: "process", command, folder: "/" },
  environment: {},
  limits: {},
  ...more,
});

async function makeRuntime() {
  const folder = await mkdtemp(join(tmpdir(), "fed-process-"));
  onTestFinished(() => endAll(folder));
  return { folder, runtime: await openAt(folder) };
}

test("a secret reaches the instance, and neither a file nor an argv", async () => {
  const { folder, runtime } = await makeRuntime();
  const canary = "canary-7c1f";
  const { pid } = await runtime.start(spec("ins_a", ["sleep", "60"], { environment: { KEY: canary } }), going());
  const environ = await readFile(`/proc/${pid}/environ`, "utf8");
  expect(environ).toContain(`KEY=${canary}`);
  expect(environ).not.toContain("VITEST");
  expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).not.toContain(canary);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) expect(await readFile(join(entry.parentPath, entry.name), "utf8")).not.toContain(canary);
  }
});

test("a child that left the session is ended with its instance", async () => {
  const { runtime } = await makeRuntime();
  const watching = runtime.logs("ins_a", { follow: true }, going());
  await runtime.start(spec("ins_a", ["sh", "-c", "setsid sleep 61 & echo $!; wait"]), going());
  let child = 0;
  for await (const { text } of watching) {
    child = Number(text);
    break;
  }
  expect(child).toBeGreaterThan(1);
  await runtime.stop("ins_a", 1_000, going());
  await expect(readFile(`/proc/${child}/environ`, "utf8")).rejects.toThrow();
});

test("a fixed port that somebody has is a conflict, a missing command and folder are missing", async () => {
  const { runtime } = await makeRuntime();
  const first = await runtime.start(spec("ins_a", ["sleep", "60"]), going());
  const taken = spec("ins_b", ["sleep", "60"], { port: first.address.port });
  await expect(runtime.start(taken, going())).rejects.toMatchObject({ code: "conflict" });
  await expect(runtime.start(spec("ins_c", ["./nothing"]), going())).rejects.toMatchObject({ code: "missing" });
  const nowhere = spec("ins_d", ["sleep"], { workload: { kind: "process", command: ["sleep"], folder: "/nowhere" } });
  await expect(runtime.start(nowhere, going())).rejects.toMatchObject({ code: "missing" });
  expect((await runtime.list(going())).map(({ id }) => id)).toEqual(["ins_a"]);
});

test("secrets that are files lie in the instance's folder while it runs, for its user alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fed-process-"));
  const runtime = await openAt(folder);
  onTestFinished(async () => {
    await runtime.close();
    await endAll(folder);
  });
  const files = { KEY_FILE: { name: "KEY", content: "canary" } };
  await runtime.start(spec("ins_a", ["sleep", "60"], { files }), going());
  const path = join(folder, "ins_a/secret/KEY");
  expect(await readFile(path, "utf8")).toBe("canary");
  expect((await stat(path)).mode & 0o777).toBe(0o400);
  await runtime.stop("ins_a", 5_000, going());
  expect(await readdir(join(folder, "ins_a"))).not.toContain("secret");
  const bad = spec("ins_b", ["sleep", "60"], { files: { KEY_FILE: { name: "../KEY", content: "canary" } } });
  await expect(runtime.start(bad, going())).rejects.toMatchObject({ code: "invalid" });
});
