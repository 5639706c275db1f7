import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiagnosticCode } from "@fed/lab";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { handClock } from "#base/hand-clock.ts";
import { type LoadedLab, type LoadOptions, loadLab, type RejectedLab } from "./load.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fed-hostile-")));
});
afterEach(() => {
  expect(processesAbout(folder)).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

/** Processes of this machine with the text among their arguments. */
function processesAbout(text: string): string[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  return all.filter((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      return false; // Gone since.
    }
  });
}

const head = 'import { defineLab, process as run, server } from "@fed/lab";\n';
const good = `${head}export default defineLab({ name: "ocean", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } }, services: { web: { run: run("node web.mjs") } } });\n`;

function load(text: string, other: Partial<LoadOptions> = {}, signal?: AbortSignal): Promise<LoadedLab | RejectedLab> {
  mkdirSync(join(folder, "lab"), { recursive: true });
  writeFileSync(join(folder, "lab/lab.ts"), text);
  return loadLab(join(folder, "lab"), { clock: systemClock, ...other }, signal);
}

/** The one diagnostic of a lab that is rejected. */
async function wrong(text: string, other?: Partial<LoadOptions>) {
  const lab = await load(text, other);
  if (lab.kind === "loaded") throw new Error("loaded");
  expect(lab.diagnostics).toHaveLength(1);
  return { ...lab.diagnostics[0], printed: lab.printed };
}

describe("a lab cannot", () => {
  it.each<[string, string, DiagnosticCode, RegExp]>([
    ["kill the hub", 'process.kill(process.ppid ?? 0, "SIGKILL");', "denied", /cannot call process\.kill/],
    ["wake the hub's debugger", "process._debugProcess(process.ppid);", "denied", /process\._debugProcess/],
    ["get at Node's inside", 'process.binding("spawn_sync");', "denied", /process\.binding/],
    ["get a built-in module", 'process.getBuiltinModule("fs");', "denied", /process\.getBuiltinModule/],
    ["load native code", 'process.dlopen({}, "/x.node");', "denied", /process\.dlopen/],
    ["end early", "process.exit(0);", "denied", /process\.exit/],
    [
      "end early by what makes functions",
      'Function("return process")().reallyExit(0);',
      "denied",
      /process\.reallyExit/,
    ],
    ["become another program", 'process.execve("/bin/true", []);', "denied", /process\.execve/],
    ["fetch", 'await fetch("http://127.0.0.1:1/");', "denied", /network connections \(fetch\)/],
    ["open a WebSocket", 'new WebSocket("ws://127.0.0.1:1/");', "denied", /network connections \(WebSocket\)/],
    ["require", 'require("node:fs");', "thrown", /require is not defined/],
    ["start WebAssembly", "new WebAssembly.Memory({ initial: 1 });", "thrown", /WebAssembly is not defined/],
    ["have raw memory", "Buffer.allocUnsafe(1);", "thrown", /Buffer is not defined/],
    ["start a worker", 'new Worker("data:,1");', "thrown", /Worker is not defined/],
    ["talk to other threads", 'new BroadcastChannel("a");', "thrown", /BroadcastChannel is not defined/],
    ["keep data", 'localStorage.setItem("a", "b");', "thrown", /localStorage is not defined/],
  ])("%s", async (_, text, code, message) => {
    const said = await wrong(`\n${text}\n${good}`);
    expect(said).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) });
    expect(said.at).toMatchObject({ file: join(folder, "lab/lab.ts"), line: 2 });
  });

  it("see the hub's environment or arguments", async () => {
    process.env.FED_HOSTILE_TEST = "the hub's secret";
    try {
      const lab = await load(`console.log(JSON.stringify([process.env, process.argv, process.execArgv]));\n${good}`);
      expect(lab.printed).toBe("[{},[],[]]\n");
    } finally {
      delete process.env.FED_HOSTILE_TEST;
    }
  });

  it("reach Node.js by any way from what it has", async () => {
    const walk = `
      const seen = new Set();
      let frames;
      Error.prepareStackTrace = (_, sites) => sites.map((site) => [site, site.getThis(), site.getFunction()]);
      const here = new Error().stack;
      await new Promise((resolve) => setTimeout(() => { frames = new Error().stack; resolve(0); }, 1));
      const queue = [globalThis, import.meta, here, frames, setTimeout(() => {}, 1), setImmediate(() => {}), new URL("a:b"), new AbortController(), (function* () {})(), (async () => {})()];
      const found = [];
      while (queue.length > 0) {
        const it = queue.pop();
        if ((typeof it !== "object" && typeof it !== "function") || it === null || seen.has(it)) continue;
        seen.add(it);
        const own = Object.getOwnPropertyDescriptors(it);
        for (const key of ["pid", "mainModule", "_load", "createRequire", "readFileSync", "writeSync", "spawn", "internalBinding"]) if (key in own) found.push(key);
        for (const key of Reflect.ownKeys(own)) {
          queue.push(own[key].value, own[key].get, own[key].set);
          try { queue.push(it[key]); } catch {}
        }
        queue.push(Object.getPrototypeOf(it));
      }
      console.log(JSON.stringify({ found, wide: seen.size > 1000 }));
    `;
    const lab = await load(`// @ts-nocheck\n${walk}\n${good}`);
    expect(lab).toMatchObject({ kind: "loaded", printed: '{"found":[],"wide":true}\n' });
  });

  it("reach what is denied by bending what all code shares", async () => {
    const bend = `
      String.prototype.startsWith = () => true; Array.prototype.includes = () => true; Object.hasOwn = () => true;
      Map.prototype.get = () => "module"; Set.prototype.has = () => true; RegExp.prototype.test = () => true;
      RegExp.prototype.exec = () => null; Array.prototype[Symbol.iterator] = function* () {}; Function.prototype.call = () => true;
      Function.prototype.apply = () => true; Reflect.apply = () => true; URL.prototype.toString = () => "x";
      Object.prototype.url = "node:fs"; Object.prototype.shortCircuit = true; Object.prototype["x"] = "module";
    `;
    for (const target of ["node:fs", "/etc/hostname", "../secret.ts"]) {
      const said = await wrong(
        `// @ts-nocheck\n${bend}\nconst it = await import("${target}");\nconsole.log(Object.keys(it));\n`,
      );
      expect(said).toMatchObject({ code: expect.stringMatching(/bad-import|thrown|ended-early/), printed: "" });
    }
  });

  it("open a connection", async () => {
    let connections = 0;
    const service = createServer((_, response) => response.end()).on("connection", () => connections++);
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
      const said = await wrong(`try { await fetch("${url}"); } catch {}\nawait import("${url}");`);
      expect(said).toMatchObject({ code: "bad-import" });
      expect(connections).toBe(0);
    } finally {
      await new Promise((resolve) => service.close(resolve));
    }
  });
});

describe("a lab that lies", () => {
  const lie = (answer: string) => `JSON.stringify = () => ${JSON.stringify(answer)};\n${good}`;

  it("is checked again by the hub", async () => {
    const bend =
      'WeakSet.prototype.has = () => true;\nexport default { name: "../../x", machines: {}, environments: {}, services: {} };';
    const lab = await load(bend);
    expect(lab.kind).toBe("rejected");
    if (lab.kind === "rejected") expect(lab.diagnostics.map(({ path }) => path)).toContain("name");
  });

  it.each<[string, string]>([
    ["no JSON", "not JSON"],
    ["nothing known", '{"kind":"other"}'],
    ["no diagnostic", '{"kind":"wrong","diagnostics":[]}'],
    ["broken diagnostics", '{"kind":"wrong","diagnostics":[{"code":"A\\u001b[2J"}]}'],
    ["files only", '{"file":"/etc/passwd"}'],
  ])("is told so when it answers %s", async (_, answer) => {
    const lab = await load(lie(answer));
    expect(lab).toMatchObject({
      kind: "rejected",
      diagnostics: [{ code: "bad-document" }],
      files: [join(folder, "lab/lab.ts")],
    });
  });

  it("cannot make the hub keep or watch much", async () => {
    const files = ["/etc/passwd", `${folder}/lab/../x`, `${folder}/lab-2/x`].map((file) => JSON.stringify({ file }));
    const diagnostic = { code: "thrown", severity: "error", path: "", message: "x".repeat(1e5) };
    const many = JSON.stringify({ kind: "wrong", diagnostics: Array(50).fill(diagnostic) });
    const lab = await load(lie(`${files.join("\n")}\n${many}`));
    expect(lab.files).toEqual([join(folder, "lab/lab.ts")]);
    if (lab.kind === "rejected") expect(JSON.stringify(lab.diagnostics).length).toBeLessThan(500_000);
    expect(lab.kind).toBe("rejected");
  });

  it("cannot answer without end", async () => {
    const said = await wrong(`JSON.stringify = () => "x".repeat(40_000_000);\n${good}`);
    expect(said).toMatchObject({ code: "too-large", message: expect.stringMatching(/32 MiB/) });
  });

  it("cannot answer by printing", async () => {
    const said = await wrong(`console.log('{"kind":"document","document":{}}');\nthrow new Error("no");`);
    expect(said).toMatchObject({ code: "thrown", printed: '{"kind":"document","document":{}}\n' });
  });
});

describe("a lab that does not end well", () => {
  it.each([
    ["computes for ever", "for (;;) {}"],
    ["computes for ever, unseen", "await null;\nlet a = 0;\nwhile (a >= 0) a = (a + 1) % 7;"],
    ["sleeps", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"],
    ["waits with a timer running", "setInterval(() => {}, 1_000);\nawait new Promise(() => {});"],
  ])("is ended when it %s", async (_, text) => {
    const said = await wrong(`${text}\n${good}`, { timeLimitMs: 1_000 });
    expect(said).toMatchObject({ code: "time-limit", message: "The lab was not done after 1 s, so it was ended." });
  });

  it("is ended by the clock it is given, after 10 s", async () => {
    const clock = handClock();
    const loading = wrong("for (;;) {}", { clock });
    await clock.turn(9_999);
    expect(processesAbout(folder)).not.toEqual([]);
    await clock.turn(1);
    expect((await loading).message).toMatch(/after 10 s/);
    expect(clock.waiting).toBe(0);
  });

  it.each([
    ["in the heap", "const a: number[][] = [];\nfor (;;) a.push(new Array(1e5).fill(1.5));"],
    ["outside the heap", "const a: Uint8Array[] = [];\nfor (;;) a.push(new Uint8Array(1e7).fill(1));"],
    ["in texts", 'let a = "ab";\nconst b: string[] = [];\nfor (;;) b.push(JSON.stringify((a += "c").repeat(1e6)));'],
  ])("is ended when it eats memory %s", async (_, text) => {
    expect(await wrong(text, { memoryLimitMiB: 64 })).toMatchObject({ code: "memory-limit" });
  });

  it("may flood its output, of which the start is kept", async () => {
    const lab = await load(`for (let i = 0; i < 20_000; i++) console.log(i, "x".repeat(10_000));\n${good}`);
    expect(lab.kind).toBe("loaded");
    expect(lab.printed).toHaveLength(64 * 1024);
    expect(lab.printed.startsWith("0 xxx")).toBe(true);
  });

  it("is ended when the caller gives up", async () => {
    const controller = new AbortController();
    const loading = load("for (;;) {}", {}, controller.signal);
    controller.abort("enough");
    await expect(loading).rejects.toBe("enough");
    await expect(load(good, {}, controller.signal)).rejects.toBe("enough");
  });
});
