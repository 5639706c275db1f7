import { childController } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import type { CommandOutcome, RunOptions, ShellCommand, StreamEnd } from "#port/shell.ts";
import { type Capture, makeCapture, outputBytes } from "#port/shell-limit.ts";
import { endProcess, endWith, signalOf, within } from "./end.ts";
import { lostFault } from "./failure.ts";
import type { Seat } from "./seat.ts";
import { startCommand } from "./stream.ts";

/** What a command has said. */
interface Heard {
  readonly stdout: Capture;
  readonly stderr: Capture;
}

/** One try, with a signal that ends the command on the machine. `unused`: it has not begun, and another try is in order. */
type Try = (seat: Seat, heard: Heard, signal: AbortSignal) => Promise<StreamEnd | { readonly kind: "unused" }>;

/** After a command has ended, for what it wrote last. Something it left in the background may hold its output open for ever. */
const lastWordsMs = 200;
/** Each idle shell of a machine may turn out to be of no use. */
const triesAtMost = 6;

export async function runCommand(
  takeSeat: (signal: AbortSignal) => Promise<Seat>,
  clock: Clock,
  command: ShellCommand,
  { input = "", timeoutMs, outputBytes: limit = outputBytes }: RunOptions,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const startedMs = clock.tickMs();
  const { controller, release } = childController(signal);
  const late = Symbol("late");
  const timer = clock.after(timeoutMs, () => controller.abort(late));
  const once = input.length > 0 ? inChannel(clock, command, input) : inLane(clock, command);
  let heard: Heard = { stdout: makeCapture(limit), stderr: makeCapture(limit) };
  const outcome = (end: Pick<CommandOutcome, "kind" | "code" | "signal">): CommandOutcome => ({
    ...end,
    ...{ stdout: heard.stdout.text(), stderr: heard.stderr.text(), cut: heard.stdout.cut || heard.stderr.cut },
    tookMs: clock.tickMs() - startedMs,
  });
  try {
    for (let tries = 1; ; tries++) {
      heard = { stdout: makeCapture(limit), stderr: makeCapture(limit) };
      const seat = await takeSeat(controller.signal);
      const end = await once(seat, heard, controller.signal);
      if (end.kind === "exited" || end.kind === "killed") return outcome(end);
      const { login, gone } = seat.connection;
      if (end.kind === "lost") throw lostFault(login.machine, end.reason);
      if (tries === triesAtMost) throw lostFault(login.machine, gone ?? "its shells end before a command begins");
    }
  } catch (thrown) {
    if (thrown === late) return outcome({ kind: "timeout" });
    throw thrown;
  } finally {
    timer.cancel();
    release();
  }
}

function inLane(clock: Clock, command: ShellCommand): Try {
  return async (seat, heard, signal) => {
    const lane = await seat.lanes.take(signal);
    try {
      const running = lane.run(command, { stdout: heard.stdout.add, stderr: heard.stderr.add });
      const end = await endWith(running, signal, async () => {
        await endProcess(seat, lane.process, clock);
        // Its shell tells that it has ended, or is of no use any more.
        if (!(await within(clock, lastWordsMs, running))) lane.close();
      });
      if (end.kind !== "lost") return end.kind === "exited" ? signalOf(end.code) : end;
      return { kind: "lost", reason: seat.connection.gone ?? "its shell ended" };
    } finally {
      seat.lanes.give(lane);
    }
  };
}

/** A kept-open shell reads what it is to do from its stdin, where input for a command has no place. */
function inChannel(clock: Clock, command: ShellCommand, input: Uint8Array | string): Try {
  return async (seat, heard, signal) => {
    const started = await startCommand(seat.connection, clock, command, heard.stderr.add, signal);
    const { channel, ended } = started;
    channel.on("data", heard.stdout.add);
    channel.resume();
    channel.end(input);
    const end = await endWith(ended, signal, () => started.end(seat));
    await within(clock, lastWordsMs, started.closed);
    channel.close();
    return end;
  };
}
