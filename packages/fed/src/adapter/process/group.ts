/** The processes of one instance: who they are, and how they are told to end. */

import {
  isAlive,
  listProcesses,
  type ProcessMark,
  type ProcessRow,
  readCommandLine,
  readProcess,
  writesTo,
} from "./proc.ts";

export interface Group {
  readonly id: string;
  /** The wrapper: leader of the instance's session. Unknown when nobody could note it. */
  readonly leader: ProcessMark | undefined;
  readonly outputPath: string;
}

/**
 * Everything of the instance that runs: its session, and whoever left it but carries its FED_INSTANCE. When the leader
 * is gone its session's number proves nothing by itself (it may be a stranger's by now), so one member must carry
 * the id or write to the instance's output.
 */
export function membersOf(group: Group, rows: readonly ProcessRow[]): readonly ProcessRow[] {
  const { id, leader, outputPath } = group;
  const carries = (row: ProcessRow) => row.instance === id;
  const session =
    leader === undefined ? [] : rows.filter((row) => row.session === leader.pid || row.group === leader.pid);
  const ours =
    leader !== undefined &&
    (readProcess(leader.pid)?.startTicks === leader.startTicks ||
      session.some((row) => row.startTicks >= leader.startTicks && (carries(row) || writesTo(row.pid, outputPath))));
  const inSession = new Set(ours ? session.map((row) => row.pid) : []);
  return rows.filter((row) => inSession.has(row.pid) || carries(row));
}

/**
 * Whether the wrapper has come to run its command. Before, it catches signals that the command should have: a child that
 * still looks like the wrapper has not become the command yet.
 */
export function isLaunched(leader: ProcessMark | undefined, members: readonly ProcessRow[]): boolean {
  if (leader === undefined || !isAlive(leader)) return true;
  const wrapper = readCommandLine(leader.pid);
  return members.some((row) => row.pid !== leader.pid && readCommandLine(row.pid) !== wrapper);
}

/** Sends the signal to the group at once, and to each member outside of it. Returns those that may not be signalled. */
export function signalMembers(
  leader: ProcessMark | undefined,
  members: readonly ProcessRow[],
  signal: "SIGTERM" | "SIGKILL",
): readonly number[] {
  const whole = leader !== undefined && isAlive(leader);
  if (whole) send(-leader.pid, signal);
  return members
    .filter((row) => !(whole && row.group === leader.pid))
    .filter((row) => readProcess(row.pid)?.startTicks === row.startTicks && send(row.pid, signal) === "denied")
    .map((row) => row.pid);
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): "sent" | "gone" | "denied" {
  try {
    process.kill(pid, signal);
    return "sent";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "denied" : "gone";
  }
}

/** A look at all processes that is shared by everybody who asks before it has begun. */
export function sharedLook(): () => Promise<readonly ProcessRow[]> {
  let next: Promise<readonly ProcessRow[]> | undefined;
  return () => {
    next ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      next = undefined;
      return listProcesses();
    });
    return next;
  };
}
