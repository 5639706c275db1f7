/** Runs a command inside a running instance. */
import { randomUUID } from "node:crypto";
import { withDeadline } from "#base/clock.ts";
import { Fault, isFault } from "#base/fault.ts";
import type { RunOutcome } from "#port/runtime.ts";
import { execAnswer, execEndAnswer, readAnswer } from "./answer.ts";
import { readFrames } from "./frame.ts";
import { requireInstance } from "./look.ts";
import { endRun, hasLeftRun, markVariable, type Run } from "./run-end.ts";
import type { State } from "./state.ts";

const outputLimitBytes = 64 * 1024;
/** What timeout(1) says. */
const tookTooLong = 124;
const absent = /executable file .*not found|no such file/i;

/** A command that takes too long or is given up is ended; see run-end.ts. */
export async function runInside(
  state: State,
  id: string,
  argv: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { instance, container } = await requireInstance(state, id, signal);
  if (instance.state === "exited") throw new Fault("missing", `instance ${id} has ended`);
  if (await hasLeftRun(state, container, signal))
    return { code: tookTooLong, output: "an earlier command that took too long still runs\n" };
  let output = Buffer.alloc(0);
  const begun: Run[] = [];
  const keep = (bytes: Buffer) => {
    output = Buffer.concat([output, bytes]).subarray(-outputLimitBytes);
  };
  try {
    const work = (limited: AbortSignal) => execute(state, container, { argv, timeoutMs, begun }, keep, limited);
    const code = await withDeadline(state.clock, timeoutMs, "a command inside an instance", work, signal);
    const text = output.toString("utf8");
    // Docker says 126 for both.
    const isAbsent = code === 126 && text.startsWith("OCI runtime exec failed") && absent.test(text);
    return { code: isAbsent ? 127 : code, output: text };
  } catch (thrown) {
    const isLate = isFault(thrown) && thrown.code === "timeout";
    const ends = signal.aborted || isLate ? begun.map((run) => endRun(state, run)) : [];
    if (signal.aborted || !isLate) throw thrown;
    await Promise.all(ends);
    return { code: tookTooLong, output: output.toString("utf8") };
  }
}

async function execute(
  state: State,
  container: string,
  { argv, timeoutMs, begun }: { readonly argv: readonly string[]; readonly timeoutMs: number; readonly begun: Run[] },
  keep: (bytes: Buffer) => void,
  signal: AbortSignal,
): Promise<number> {
  const { client } = state;
  const what = "command inside an instance";
  const mark = `${markVariable}=${randomUUID()}`;
  const exec = await create(state, container, { argv, mark }, signal);
  begun.push({ container, exec, mark });
  try {
    const start = { method: "POST", path: `/exec/${exec}/start`, json: { Detach: false, Tty: false }, what } as const;
    const said = await client.stream({ ...start, timeoutMs }, signal);
    for await (const { bytes } of readFrames(said)) keep(bytes);
  } catch (thrown) {
    // There is no such command inside, or it may not be run: as a shell says it.
    const isTold = isFault(thrown) && (absent.test(thrown.message) || /permission denied/i.test(thrown.message));
    if (!isTold) throw thrown;
    keep(Buffer.from(`${thrown.message}\n`));
    return thrown.code === "denied" ? 126 : 127;
  }
  const answer = await client.json({ method: "GET", path: `/exec/${exec}/json`, what }, signal);
  return readAnswer(client.name, what, execEndAnswer, answer).ExitCode ?? 0;
}

async function create(
  state: State,
  container: string,
  { argv, mark }: { readonly argv: readonly string[]; readonly mark: string },
  signal: AbortSignal,
): Promise<string> {
  const { client } = state;
  const what = "command inside an instance";
  const json = { Cmd: argv, Env: [mark], AttachStdout: true, AttachStderr: true };
  try {
    const path = `/containers/${container}/exec`;
    const answer = await client.json({ method: "POST", path, json, what }, signal);
    return readAnswer(client.name, what, execAnswer, answer).Id;
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "conflict") throw thrown;
    throw new Fault("missing", "the instance has ended", { cause: thrown });
  }
}
