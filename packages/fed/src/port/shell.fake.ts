/** A machine in memory: its programs are functions, its files and its listeners are maps. */
import { type Duplex, duplexPair } from "node:stream";
import { childController, untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type {
  CommandOutcome,
  CommandStream,
  ForwardTarget,
  RunOptions,
  Shell,
  ShellCommand,
  StreamEnd,
  UploadFile,
} from "./shell.ts";
import { checkCommand, makeCapture, makeTail, outputBytes, stderrBytes } from "./shell-limit.ts";

/** One running command, as its program sees it. */
export interface FakeProcess {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Its stdin; ends as the caller's does. */
  readonly stdin: AsyncIterable<Uint8Array>;
  write(text: string | Uint8Array): void;
  writeError(text: string | Uint8Array): void;
  /** Aborts when it is killed: whatever it does after that, nobody sees. */
  readonly killed: AbortSignal;
}

/** Its exit code; 0 when it says none. */
export type FakeProgram = (process: FakeProcess) => number | undefined | Promise<number | undefined>;

export interface FakeShell extends Shell {
  /** Puts a program into its PATH, or another in its place. `true`, `false`, `echo`, `cat` and `sleep` (on the clock) are there. */
  program(name: string, run: FakeProgram): void;
  readonly files: Map<string, { readonly bytes: Uint8Array; readonly mode: number }>;
  /** What listens: `/run/docker.sock`, `127.0.0.1:80`; is handed the machine's end of each connection. */
  readonly listeners: Map<string, (io: Duplex) => void>;
  /** Every command that was begun, in their order. */
  readonly asked: readonly ShellCommand[];
  /** How many commands and streams run. */
  readonly running: number;
  /** From now on every call fails with it, and what ran is lost; undefined: it is back. */
  fail(fault: Fault | undefined): void;
}

interface Run {
  readonly ended: Promise<StreamEnd>;
  kill(): void;
  lose(reason: string): void;
}

export function makeFakeShell(clock: Clock, name = "fake"): FakeShell {
  const programs = builtIns(clock);
  const files: FakeShell["files"] = new Map();
  const listeners: FakeShell["listeners"] = new Map();
  const asked: ShellCommand[] = [];
  const runs = new Set<Run>();
  let trouble: Fault | undefined;
  const check = (signal: AbortSignal) => {
    signal.throwIfAborted();
    if (trouble !== undefined) throw trouble;
  };

  function begin(command: ShellCommand, out: Pick<FakeProcess, "stdin" | "write" | "writeError">): Run {
    asked.push(command);
    const end = Promise.withResolvers<StreamEnd>();
    const killed = new AbortController();
    const run: Run = {
      ended: end.promise,
      kill: () => stop({ kind: "killed", signal: "SIGTERM" }),
      lose: (reason) => stop({ kind: "lost", reason }),
    };
    const stop = (how: StreamEnd) => {
      runs.delete(run);
      end.resolve(how);
      killed.abort();
    };
    runs.add(run);
    const { argv, environment = {} } = command;
    const program = programs.get(argv[0] ?? "");
    if (program === undefined) out.writeError(`${argv[0]}: command not found\n`);
    const only =
      <A>(tell: (value: A) => void) =>
      (value: A) =>
        killed.signal.aborted ? undefined : tell(value);
    const seen = { ...out, argv, environment, killed: killed.signal };
    Promise.resolve({ ...seen, write: only(out.write), writeError: only(out.writeError) })
      .then(program ?? (() => 127))
      .then((code) => stop({ kind: "exited", code: code ?? 0 }))
      .catch(() => stop({ kind: "exited", code: 1 }));
    return run;
  }

  return {
    ...{ name, files, listeners, asked },
    get running() {
      return runs.size;
    },
    program: (called, run) => void programs.set(called, run),
    fail(fault) {
      trouble = fault;
      if (fault !== undefined) for (const run of runs) run.lose(fault.message);
    },
    async run(command, options, signal) {
      checkCommand(command);
      check(signal);
      return runOnce(clock, options, signal, (out) => begin(command, out), name);
    },
    async stream(command, signal) {
      checkCommand(command);
      check(signal);
      return streamOf((out) => begin(command, out), signal);
    },
    async upload({ path, bytes, mode }, signal) {
      check(signal);
      files.set(path, { bytes: await untilAborted(gather(bytes), signal), mode });
    },
    async forward(target, signal) {
      check(signal);
      const listener = listeners.get(addressOf(target));
      if (listener === undefined) throw new Fault("unreachable", `nothing listens at ${addressOf(target)} on ${name}`);
      const [near, far] = duplexPair();
      listener(far);
      return near;
    },
    async close() {
      trouble = new Fault("unreachable", `${name} is closed`);
      for (const run of runs) run.kill();
    },
  };
}

type Begin = (out: Pick<FakeProcess, "stdin" | "write" | "writeError">) => Run;

async function runOnce(
  clock: Clock,
  { timeoutMs, outputBytes: limit = outputBytes, input = "" }: RunOptions,
  signal: AbortSignal,
  begin: Begin,
  name: string,
): Promise<CommandOutcome> {
  const startedMs = clock.tickMs();
  const [stdout, stderr] = [makeCapture(limit), makeCapture(limit)];
  const stdin = async function* () {
    if (input.length > 0) yield bytesOf(input);
  };
  const run = begin({
    stdin: stdin(),
    write: (text) => stdout.add(bytesOf(text)),
    writeError: (text) => stderr.add(bytesOf(text)),
  });
  let late = false;
  const timer = clock.after(timeoutMs, () => {
    late = true;
    run.kill();
  });
  signal.addEventListener("abort", run.kill, { once: true });
  const end = await run.ended;
  timer.cancel();
  signal.removeEventListener("abort", run.kill);
  signal.throwIfAborted();
  if (end.kind === "lost") throw new Fault("unreachable", `${name} was lost: ${end.reason}`);
  const said = { stdout: stdout.text(), stderr: stderr.text(), cut: stdout.cut || stderr.cut };
  return { ...(late ? { kind: "timeout" } : end), ...said, tookMs: clock.tickMs() - startedMs };
}

function streamOf(begin: Begin, signal: AbortSignal): CommandStream {
  const [io, far] = duplexPair();
  const errors = makeTail(stderrBytes);
  const run = begin({
    // Who has read it all may still write.
    stdin: { [Symbol.asyncIterator]: () => far.iterator({ destroyOnReturn: false }) },
    write: (text) => void far.write(bytesOf(text)),
    writeError: (text) => errors.add(bytesOf(text)),
  });
  far.on("error", () => {});
  io.on("error", () => {});
  const { controller, release } = childController(signal);
  controller.signal.addEventListener("abort", run.kill, { once: true });
  if (controller.signal.aborted) run.kill();
  run.ended.then(() => {
    release();
    far.end();
  });
  return {
    ...{ io, ended: run.ended, stderr: errors.text },
    async kill() {
      run.kill();
    },
  };
}

function builtIns(clock: Clock): Map<string, FakeProgram> {
  return new Map<string, FakeProgram>([
    ["true", () => 0],
    ["false", () => 1],
    ["echo", ({ argv, write }) => void write(`${argv.slice(1).join(" ")}\n`)],
    [
      "cat",
      async ({ stdin, write }) => {
        for await (const bytes of stdin) write(bytes);
        return 0;
      },
    ],
    [
      "sleep",
      ({ argv, killed }) =>
        new Promise((resolve) => {
          const timer = clock.after(Number(argv[1]) * 1_000, () => resolve(0));
          killed.addEventListener("abort", timer.cancel, { once: true });
        }),
    ],
  ]);
}

function addressOf(target: ForwardTarget): string {
  return target.kind === "socket" ? target.path : `${target.host}:${target.port}`;
}

async function gather(bytes: UploadFile["bytes"]): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes;
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? Buffer.from(text) : text;
}
