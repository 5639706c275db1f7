import type { Duplex } from "node:stream";
import { childController } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { CommandStream, Shell, ShellCommand, SshNeeds } from "#port/shell.ts";
import { joinIo } from "#port/shell-io.ts";
import { checkCommand, makeTail, stderrBytes } from "#port/shell-limit.ts";
import type { Connection } from "./connect.ts";
import { refusedKeyOf } from "./failure.ts";
import { openForward } from "./forward.ts";
import { dial, type JumpHosts, makeJumpHosts } from "./jump.ts";
import { openLanes } from "./lanes.ts";
import { openLink } from "./link.ts";
import { runCommand } from "./run.ts";
import type { Seat } from "./seat.ts";
import { startCommand } from "./stream.ts";
import { uploadTo } from "./upload.ts";

export type SshShellNeeds = SshNeeds & {
  readonly clock: Clock;
  readonly trace: Trace;
  /** Shared with the shells of other machines, so that a jump host is connected to once. */
  readonly jumps?: JumpHosts | undefined;
};

/** A machine by SSH. Connects when it is first used. */
export function openSshShell(machine: string, needs: SshShellNeeds): Shell {
  const { clock, trace } = needs;
  const dialNeeds = { ...needs, jumps: needs.jumps ?? makeJumpHosts() };
  const link = openLink(machine, {
    ...{ clock, trace, login: needs.login, known: needs.knownHostKeys },
    dial: (login, signal) => dial(login, dialNeeds, signal),
    isSettled: (fault) => isAccepted(fault, needs),
  });
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  const forwards = new Set<Duplex>();
  let seat: Seat | undefined;

  async function takeSeat(signal: AbortSignal): Promise<Seat> {
    const connection = await link.take(signal);
    if (seat?.connection !== connection) seat = seatOf(connection, clock);
    return seat;
  }

  /** Is waited for when the shell is closed, which ends it. */
  function during<T>(signal: AbortSignal, work: (inner: AbortSignal) => Promise<T>): Promise<T> {
    const { controller, release } = childController(signal);
    const stop = () => controller.abort(closing.signal.reason);
    if (closing.signal.aborted) stop();
    else closing.signal.addEventListener("abort", stop, { once: true });
    const done = (async () => {
      controller.signal.throwIfAborted();
      return work(controller.signal);
    })().finally(() => {
      closing.signal.removeEventListener("abort", stop);
      release();
      running.delete(done);
    });
    running.add(done);
    return done;
  }

  const shell: Shell = {
    name: `ssh ${machine}`,
    async run(command, options, signal) {
      checkCommand(command);
      return during(signal, (inner) => runCommand(takeSeat, clock, command, options, inner));
    },
    async stream(command, signal) {
      checkCommand(command);
      return openStream(command, signal);
    },
    upload: (file, signal) => during(signal, (inner) => uploadTo(shell, machine, file, inner)),
    async forward(target, signal) {
      const io = await during(signal, async (inner) => openForward(await link.take(inner), target, inner));
      forwards.add(io);
      io.once("close", () => forwards.delete(io));
      return io;
    },
    async close() {
      closing.abort(closedFault(machine));
      for (const io of forwards) io.destroy();
      await Promise.allSettled(running);
      link.close();
    },
  };

  async function openStream(command: ShellCommand, signal: AbortSignal): Promise<CommandStream> {
    const opened = Promise.withResolvers<CommandStream>();
    during(signal, async (inner) => {
      const place = await takeSeat(inner);
      const errors = makeTail(stderrBytes);
      const started = await startCommand(place.connection, clock, command, errors.add, inner);
      let ending: Promise<void> | undefined;
      const kill = () => {
        ending ??= started.end(place);
        return ending;
      };
      const stop = () => void kill();
      inner.addEventListener("abort", stop, { once: true });
      const { io, over } = joinIo(started.channel, started.channel, stop);
      opened.resolve({ io, kill, ended: started.ended, stderr: errors.text });
      await started.ended;
      over();
      inner.removeEventListener("abort", stop);
      await ending;
    }).catch(opened.reject);
    return opened.promise;
  }

  return shell;
}

/** Somebody has accepted the key that was refused: of this machine, or of one on the way to it. */
function isAccepted({ details }: Fault, { knownHostKeys }: SshShellNeeds): boolean {
  const refused = refusedKeyOf(details);
  if (refused === undefined) return false;
  const known = knownHostKeys?.(refused.machine) ?? [];
  return known.some(({ fingerprint }) => fingerprint === refused.offered.fingerprint);
}

function seatOf(connection: Connection, clock: Clock): Seat {
  return { connection, lanes: openLanes(connection, clock) };
}

function closedFault(machine: string): Fault {
  return new Fault("unreachable", `the shell of ${machine} is closed`);
}
