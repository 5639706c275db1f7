import { constants } from "node:os";
import { Fault } from "#base/fault.ts";
import { commands, families } from "./commands.ts";
import { type Env, readEnv } from "./env.ts";
import { Interrupted } from "./interrupted.ts";
import { openScreen, type Screen } from "./print.ts";
import { runProgram } from "./run.ts";

/** Joins the program to its process: streams, signals, the last net for defects, the exit code. */
export async function start(version: string): Promise<never> {
  const words = process.argv.slice(2);
  const { env, screen } = openSurroundings(words);
  const controller = new AbortController();
  listenForSignals(controller);
  listenToStreams(controller, screen, env.debug);
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (thrown) => {
      screen.fault(asDefect(thrown), env.debug);
      process.exit(1);
    });
  }
  const program = { name: "fed", version, entries: commands, families };
  const code = await runProgram(program, words, env, screen, controller.signal);
  await written(process.stdout);
  await written(process.stderr);
  process.exit(code);
}

function openSurroundings(words: readonly string[]): { env: Env; screen: Screen } {
  const end = words.indexOf("--");
  const json = words.slice(0, end < 0 ? undefined : end).includes("--json");
  try {
    const env = readEnv();
    return { env, screen: openScreen(process.stdout, process.stderr, env.terminal, json) };
  } catch (thrown) {
    const plain = { color: "never", dumb: true, columns: undefined } as const;
    openScreen(process.stdout, process.stderr, plain, json).fault(thrown, false);
    process.exit(4);
  }
}

/** The first signal asks the command to clean up; the second ends at once. */
function listenForSignals(controller: AbortController): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const exitCode = 128 + constants.signals[name];
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(name, exitCode));
    });
  }
}

/** `fed print | head -1` closes the pipe early: that is the reader's right, not a fault. */
function listenToStreams(controller: AbortController, screen: Screen, debug: boolean): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return controller.abort(new Interrupted("a closed pipe", 0));
    screen.fault(
      new Fault("internal", `cannot write the output: ${error.message}`, { hint: "look at where it goes" }),
      debug,
    );
    process.exit(1);
  });
  process.stderr.on("error", () => {});
}

function asDefect(thrown: unknown): unknown {
  return thrown instanceof Error ? thrown : new Fault("internal", `something threw ${String(thrown)}`);
}

/** Settles when everything written has left the process, or cannot. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    stream.write("", () => resolve());
  });
}
