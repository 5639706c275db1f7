import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { childArgv } from "./argv.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fed-rights-")));
  for (const name of ["lab", "lab-2", "language"]) mkdirSync(join(folder, name));
  for (const name of ["lab/own.txt", "lab-2/other.txt", "outside.txt"]) writeFileSync(join(folder, name), name);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a process of these words can do when the fence of `evaluate.ts` is not there: the code of what it throws, or "done". */
function attempt(deed: string): string {
  const entry = join(folder, "language/entry.mjs");
  writeFileSync(
    entry,
    `import * as cp from "node:child_process"; import * as fs from "node:fs"; import * as net from "node:net"; import * as dgram from "node:dgram"; import * as dns from "node:dns/promises"; import * as inspector from "node:inspector"; import * as threads from "node:worker_threads"; import * as wasi from "node:wasi"; import * as ffi from "node:ffi";
    const folder = ${JSON.stringify(folder)};
    const settled = (emitter, good) => new Promise((resolve, reject) => emitter.once(good, resolve).once("error", reject));
    let word = "done";
    try { await (async () => { ${deed} })(); } catch (thrown) { word = thrown.code ?? thrown.cause?.code ?? String(thrown); }
    fs.writeSync(1, word);
    process.exit();`,
  );
  const question = {
    ...{ file: join(folder, "lab/lab.ts"), folder: join(folder, "lab"), within: join(folder, "lab/") },
    ...{ language: pathToFileURL(join(folder, "language/index.ts")).href, timeLimitMs: 5_000 },
    ...{ sourceLimitBytes: 1, printedLimitBytes: 1 },
  };
  const [shell = "", ...argv] = childArgv(question, { timeLimitMs: 5_000, memoryLimitMiB: 64 }, undefined, entry);
  const { stdout, stderr } = spawnSync(shell, argv, {
    env: {},
    cwd: join(folder, "lab"),
    encoding: "utf8",
    timeout: 20_000,
  });
  return stdout || stderr;
}

it.each<[string, string, string]>([
  ["read its folder", 'fs.readFileSync("own.txt");', "done"],
  ["read beside its folder", 'fs.readFileSync(folder + "/outside.txt");', "ERR_ACCESS_DENIED"],
  ["read a folder whose name begins the same", 'fs.readFileSync(folder + "/lab-2/other.txt");', "ERR_ACCESS_DENIED"],
  ["read the environment", 'fs.readFileSync("/proc/self/environ");', "ERR_ACCESS_DENIED"],
  ["list open files", 'fs.readdirSync("/proc/self/fd");', "ERR_ACCESS_DENIED"],
  ["write in its folder", 'fs.writeFileSync("new.txt", "x");', "ERR_ACCESS_DENIED"],
  ["link", 'fs.symlinkSync("/etc", "etc");', "ERR_ACCESS_DENIED"],
  ["start a process", 'cp.spawnSync("/bin/true");', "ERR_ACCESS_DENIED"],
  ["start a thread", 'new threads.Worker("1", { eval: true });', "ERR_ACCESS_DENIED"],
  ["connect", 'await settled(net.connect(1, "127.0.0.1"), "connect");', "ERR_ACCESS_DENIED"],
  ["connect to a socket file", 'await settled(net.connect("/run/docker.sock"), "connect");', "ERR_ACCESS_DENIED"],
  ["listen", 'await settled(net.createServer().listen(0), "listening");', "ERR_ACCESS_DENIED"],
  [
    "send a datagram",
    'const s = dgram.createSocket("udp4"); s.send("x", 9, "127.0.0.1"); await settled(s, "listening");',
    "ERR_ACCESS_DENIED",
  ],
  ["resolve a name", 'await dns.lookup("localhost");', "ERR_ACCESS_DENIED"],
  ["open the inspector", "inspector.open(0);", "ERR_ACCESS_DENIED"],
  ["use WASI", 'new wasi.WASI({ version: "preview1" });', "ERR_ACCESS_DENIED"],
  ["call foreign functions", 'ffi.dlopen("libc.so.6", {});', "ERR_ACCESS_DENIED"],
  ["load native code", 'process.dlopen({ exports: {} }, "/x.node");', "ERR_DLOPEN_DISABLED"],
  ["get at Node's inside", 'process.binding("fs");', "ERR_ACCESS_DENIED"],
])("what Node itself says when a lab would %s", (_, deed, word) => {
  expect(attempt(deed)).toBe(word);
});

it("limits the shell sets hold", () => {
  const limits = /Max (cpu time|file size|data size|core file size) +(\d+)/g;
  // The child may not look, so its limits are read from outside, where its parent left them.
  const [shell = "", flag = "", script = "", ...rest] = childArgv(
    ...([
      {
        file: "",
        folder: "",
        within: "",
        language: "file:///x/y",
        timeLimitMs: 0,
        sourceLimitBytes: 0,
        printedLimitBytes: 0,
      },
    ] as const),
    { timeLimitMs: 10_000, memoryLimitMiB: 256 },
  );
  const words = [flag, script, ...rest.slice(0, 4), "/bin/cat", "/proc/self/limits"];
  const { stdout } = spawnSync(shell, words, { encoding: "utf8" });
  expect(Object.fromEntries([...stdout.matchAll(limits)].map(([, name, soft]) => [name, Number(soft)]))).toEqual({
    "cpu time": 22,
    "file size": 0,
    "data size": 1_280 * 2 ** 20,
    "core file size": 0,
  });
});

it.each([
  ["idles", "setInterval(() => {}, 1_000);\nawait new Promise(() => {});", { status: 1, signal: null }],
  ["computes", "for (;;) {}", { status: null, signal: "SIGXCPU" }],
])("a child that %s ends itself when its hub is gone", (_, text, end) => {
  const [file, within] = [join(folder, "lab/lab.ts"), join(folder, "lab/")];
  writeFileSync(file, text);
  const language = import.meta.resolve("@fed/lab");
  const limits = { timeLimitMs: 1, memoryLimitMiB: 64 };
  const question = { file, folder: within, within, language, ...limits, sourceLimitBytes: 1e6, printedLimitBytes: 1 };
  const [shell = "", ...argv] = childArgv(question, limits);
  const { status, signal } = spawnSync(shell, argv, {
    env: {},
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  expect({ status, signal }).toEqual(end);
});
