import { connect } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { CommandOutcome, CommandStream, ForwardTarget, RunOptions, Shell, ShellCommand } from "#port/shell.ts";
import { joinIo } from "#port/shell-io.ts";
import { checkCommand, makeCapture, makeTail, outputBytes, stderrBytes } from "#port/shell-limit.ts";
import { type Spawned, spawnCommand } from "./spawn.ts";
import { uploadLocally } from "./upload.ts";

/** After a command has ended, for what it wrote last. Something it left in the background may hold its output open for ever. */
const lastWordsMs = 200;

/** The machine that the hub runs on, as the user the hub runs as. */
export function openLocalShell(needs: {
  readonly clock: Clock;
  /** What a command has besides its own. */
  readonly environment: Readonly<Record<string, string>>;
}): Shell {
  const { clock, environment } = needs;
  const running = new Set<Spawned>();
  const sockets = new Set<Duplex>();
  let closed = false;

  const begin = (command: ShellCommand, signal: AbortSignal): Spawned => {
    checkCommand(command);
    signal.throwIfAborted();
    checkOpen();
    const spawned = spawnCommand(command, environment, clock);
    running.add(spawned);
    spawned.ended.then(() => running.delete(spawned));
    return spawned;
  };
  const checkOpen = () => {
    if (closed) throw new Fault("unreachable", "the shell of this machine is closed");
  };

  return {
    name: "local",
    async run(command, options, signal) {
      return runToEnd(begin(command, signal), clock, options, signal);
    },
    async stream(command, signal) {
      return streamOf(begin(command, signal), signal);
    },
    async upload(file, signal) {
      signal.throwIfAborted();
      checkOpen();
      await uploadLocally(file, signal);
    },
    async forward(target, signal) {
      signal.throwIfAborted();
      checkOpen();
      const socket = await connectTo(target, signal);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return socket;
    },
    async close() {
      closed = true;
      for (const socket of sockets) socket.destroy();
      await Promise.all([...running].map((spawned) => spawned.kill()));
    },
  };
}

async function runToEnd(
  spawned: Spawned,
  clock: Clock,
  { timeoutMs, outputBytes: limit = outputBytes, input = "" }: RunOptions,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const startedMs = clock.tickMs();
  const { child } = spawned;
  const [stdout, stderr] = [makeCapture(limit), makeCapture(limit)];
  child.stdout.on("data", (bytes) => stdout.add(bytes));
  child.stderr.on("data", (bytes) => stderr.add(bytes));
  child.stdin.end(input);
  let late = false;
  const stop = () => void spawned.kill();
  const timer = clock.after(timeoutMs, () => {
    late = true;
    stop();
  });
  signal.addEventListener("abort", stop, { once: true });
  const { trouble, ...end } = await spawned.ended;
  timer.cancel();
  signal.removeEventListener("abort", stop);
  if (late || signal.aborted) await spawned.kill();
  await lastWords(child.stdout, child.stderr, clock);
  signal.throwIfAborted();
  if (trouble !== undefined) stderr.add(Buffer.from(trouble));
  const said = { stdout: stdout.text(), stderr: stderr.text(), cut: stdout.cut || stderr.cut };
  return { ...(late ? { kind: "timeout" } : end), ...said, tookMs: clock.tickMs() - startedMs };
}

async function lastWords(stdout: Readable, stderr: Readable, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = clock.after(lastWordsMs, late.resolve);
  await Promise.race([Promise.allSettled([finished(stdout), finished(stderr)]), late.promise]);
  timer.cancel();
  // Who still writes there from the background is told that nobody reads.
  stdout.destroy();
  stderr.destroy();
}

function streamOf(spawned: Spawned, signal: AbortSignal): CommandStream {
  const { child } = spawned;
  const errors = makeTail(stderrBytes);
  child.stderr.on("data", (bytes) => errors.add(bytes));
  const kill = () => spawned.kill();
  const stop = () => void kill();
  const { io, over } = joinIo(child.stdout, child.stdin, stop);
  signal.addEventListener("abort", stop, { once: true });
  const ended = spawned.ended.then(({ trouble, ...end }) => {
    over();
    signal.removeEventListener("abort", stop);
    if (trouble !== undefined) errors.add(Buffer.from(trouble));
    return end;
  });
  return { io, ended, kill, stderr: errors.text };
}

function connectTo(target: ForwardTarget, signal: AbortSignal): Promise<Duplex> {
  const socket = target.kind === "socket" ? connect({ path: target.path }) : connect(target.port, target.host);
  const opened = new Promise<Duplex>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.on("error", (error) => {
      const where = target.kind === "socket" ? target.path : `${target.host}:${target.port}`;
      reject(new Fault("unreachable", `nothing answers at ${where} on this machine`, { cause: error }));
    });
  });
  return untilAborted(opened, signal).catch((thrown: unknown) => {
    socket.destroy();
    throw thrown;
  });
}
