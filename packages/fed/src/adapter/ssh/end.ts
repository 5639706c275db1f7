/** How what runs on a machine is brought to its end. */
import { constants } from "node:os";
import type { Clock } from "#base/clock.ts";
import type { ShellCommand, StreamEnd } from "#port/shell.ts";
import { endCommand } from "./script.ts";
import type { Seat } from "./seat.ts";

/** So long the answer waits for the end of a command: two rounds of a second on the machine, and a new shell there if need be. */
const endMs = 10_000;
/** So long we go on trying. */
const tryMs = 60_000;

/** Ends a process with what it started. Quietly nothing when the machine does not answer in time. */
export async function endProcess(
  seat: Seat,
  { pid, only }: { readonly pid: string; readonly only: boolean },
  clock: Clock,
): Promise<void> {
  if (!/^[1-9]\d*$/.test(pid) || pid === "1") return;
  const stop = new AbortController();
  const timer = clock.after(tryMs, () => stop.abort("late"));
  const forget = seat.connection.onGone((reason) => stop.abort(reason));
  const ended = askForEnd(seat, endCommand(pid, only), stop.signal)
    // The connection is lost, or will be taken for lost soon.
    .catch(() => {})
    .finally(() => {
      timer.cancel();
      forget();
    });
  await within(clock, endMs, ended);
}

async function askForEnd({ lanes }: Seat, command: ShellCommand, signal: AbortSignal): Promise<void> {
  const lane = await lanes.take(signal, "urgent");
  const giveUp = () => lane.close();
  signal.addEventListener("abort", giveUp, { once: true });
  await lane.run(command, { stdout() {}, stderr() {} });
  signal.removeEventListener("abort", giveUp);
  lanes.give(lane);
}

/**
 * What comes of it; when the signal aborts it is ended first, and then rejects with the signal's reason. `end` must see to it that it
 * settles.
 */
export async function endWith<T>(running: Promise<T>, signal: AbortSignal, end: () => Promise<void>): Promise<T> {
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending = end();
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const value = await running;
  signal.removeEventListener("abort", stop);
  await ending;
  signal.throwIfAborted();
  return value;
}

/** Whether it settles in time. */
export async function within(clock: Clock, limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = clock.after(limitMs, () => late.resolve(false));
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    timer.cancel();
  }
}

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number as number, name]));

/** What a shell's exit code means: 128 and more is a signal, as far as there is such a one. */
export function signalOf(code: number): StreamEnd {
  const signal = code > 128 ? signals.get(code - 128) : undefined;
  return signal === undefined ? { kind: "exited", code } : { kind: "killed", signal };
}
