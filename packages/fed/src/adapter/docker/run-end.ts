/** Ends a command inside an instance that takes too long. An engine has no way to: it forgets that somebody waited. */
import { readdir, readFile } from "node:fs/promises";
import { sleep, withDeadline } from "#base/clock.ts";
import { execAnswer, execEndAnswer, readAnswer } from "./answer.ts";
import { statusOf } from "./refusal.ts";
import type { State } from "./state.ts";

/** Bears the mark of a run: whatever it begins inherits it, in whatever session. */
export const markVariable = "FED_RUN";

export interface Run {
  readonly container: string;
  /** The engine's id of it. */
  readonly exec: string;
  /** `FED_RUN=…`, which no other process has in its environment. */
  readonly mark: string;
}

const endLimitMs = 5_000;
const tries = 4;
const pauseMs = 100;

/** With nothing but a shell: an image may have neither grep nor pkill. Shells leave out the NULs between variables. */
const script = `for one in /proc/[0-9]*; do
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *"$1"*) kill -9 "\${one#/proc/}"; break ;; esac
  done <"$one/environ"
done 2>/dev/null; exit 0`;

/** Ends it with all that it began. What cannot be ended is remembered, so that no second one is begun beside it. */
export async function endRun(state: State, run: Run): Promise<void> {
  state.left.set(run.container, run.exec);
  try {
    const work = (signal: AbortSignal) => tryToEnd(state, run, signal);
    await withDeadline(state.clock, endLimitMs, "the end of a command", work, state.closing.signal);
  } catch (error) {
    state.trace.debug("a command inside an instance could not be ended", { container: run.container, error });
  }
}

/** Whether a command that could not be ended still runs there. */
export async function hasLeftRun(state: State, container: string, signal: AbortSignal): Promise<boolean> {
  const exec = state.left.get(container);
  if (exec === undefined) return false;
  if (await runs(state, exec, signal)) return true;
  state.left.delete(container);
  return false;
}

async function tryToEnd(state: State, run: Run, signal: AbortSignal): Promise<void> {
  for (let tried = 0; tried < tries; tried++) {
    // The engine may still be about to begin it, and what is ended may have begun another meanwhile.
    if (tried > 0) await sleep(state.clock, pauseMs, signal);
    if (!(await endInside(state, run, signal))) await endHere(run.mark);
    if (tried > 0 && !(await hasLeftRun(state, run.container, signal))) return;
  }
}

async function runs(state: State, exec: string, signal: AbortSignal): Promise<boolean> {
  const what = "look at a command";
  try {
    const answer = await state.client.json({ method: "GET", path: `/exec/${exec}/json`, what }, signal);
    return readAnswer(state.client.name, what, execEndAnswer, answer).Running === true;
  } catch (thrown) {
    // Gone with its instance.
    if (statusOf(thrown) === 404) return false;
    throw thrown;
  }
}

/** By a second command in the same container; false where it has no shell. */
async function endInside({ client }: State, { container, mark }: Run, signal: AbortSignal): Promise<boolean> {
  const what = "end of a command";
  const json = { Cmd: ["sh", "-c", script, "sh", mark], AttachStdout: true };
  try {
    const answer = await client.json({ method: "POST", path: `/containers/${container}/exec`, json, what }, signal);
    const { Id } = readAnswer(client.name, what, execAnswer, answer);
    const start = { method: "POST", path: `/exec/${Id}/start`, json: { Detach: false, Tty: false }, what } as const;
    for await (const _ of await client.stream(start, signal));
    const ended = await client.json({ method: "GET", path: `/exec/${Id}/json`, what }, signal);
    return readAnswer(client.name, what, execEndAnswer, ended).ExitCode === 0;
  } catch (thrown) {
    if (statusOf(thrown) === undefined) throw thrown;
    return false;
  }
}

/** Where the container is on this very machine and this process may see into it: the mark says which are meant, whatever their ids. */
async function endHere(mark: string): Promise<void> {
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(mark)) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch {
      // It has ended, or is not ours to end.
    }
  }
}
