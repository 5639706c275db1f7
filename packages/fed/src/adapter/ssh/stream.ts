import type { ClientChannel } from "ssh2";
import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import type { ShellCommand, StreamEnd } from "#port/shell.ts";
import { makeTail } from "#port/shell-limit.ts";
import { openSh } from "./channel.ts";
import type { Connection } from "./connect.ts";
import { endProcess, within } from "./end.ts";
import { startFault } from "./failure.ts";
import { type MarkReader, makeMarkReader } from "./mark.ts";
import { makeMark, streamProgram } from "./script.ts";
import type { Seat } from "./seat.ts";

/** A command in a channel of its own. */
export interface Started {
  /** Its stdin and its stdout, which is paused. */
  readonly channel: ClientChannel;
  /** Never rejects. */
  readonly ended: Promise<StreamEnd>;
  /** Nothing comes any more, and all of it was taken. */
  readonly closed: Promise<void>;
  /** Ends it on the machine, with what it started; `ended` has resolved then. */
  end(seat: Seat): Promise<void>;
}

/** From the channel's opening until its shell has answered. */
const startMs = 30_000;

/** From the end of a command until its server has told of it. */
const toldMs = 1_000;

/** Begins it; resolves when it runs. `stderr` is called with what it says there, and nothing that was said before. */
export async function startCommand(
  connection: Connection,
  clock: Clock,
  command: ShellCommand,
  stderr: (bytes: Buffer) => void,
  signal: AbortSignal,
): Promise<Started> {
  const channel = await openSh(connection, signal);
  channel.on("error", () => {});
  const { ended, closed, giveUp } = endOf(channel, connection);
  const mark = makeMark();
  const said = makeTail(1_000);
  const [out, err] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  let begun = false;
  const reader = makeMarkReader(
    (bytes) => (begun ? stderr(bytes) : said.add(bytes)),
    () => {
      begun = true;
      reader.expect(undefined);
      err.resolve();
    },
  );
  reader.expect(mark);
  channel.stderr.on("data", (bytes: Buffer) => pushInto(reader, bytes, channel));
  hearStart(channel, mark, (bytes) => said.add(bytes), out.resolve);
  channel.write(streamProgram(mark, command));
  const late = Promise.withResolvers<"late">();
  const timer = clock.after(startMs, () => late.resolve("late"));
  try {
    const started = Promise.all([out.promise, err.promise]);
    const first = await untilAborted(Promise.race([started, closed, late.promise]), signal);
    if (Array.isArray(first)) {
      const [pid] = first;
      const end = async (seat: Seat) => {
        await endProcess(seat, { pid, only: false }, clock);
        if (!(await within(clock, toldMs, ended))) giveUp();
      };
      return { channel, ended, closed, end };
    }
    throw startFault(connection, said.text(), first === "late" ? startMs : undefined);
  } catch (thrown) {
    channel.close();
    throw thrown;
  } finally {
    timer.cancel();
  }
}

/** Drops what a login shell says before the mark; what follows it stays in the channel, which is paused then. */
function hearStart(
  channel: ClientChannel,
  mark: string,
  onSaid: (bytes: Buffer) => void,
  onStart: (pid: string) => void,
): void {
  let rest: Buffer[] | undefined;
  const reader = makeMarkReader(
    (bytes) => (rest === undefined ? onSaid(bytes) : void rest.push(bytes)),
    (words) => {
      rest ??= [];
      // It says its mark once: whatever comes now is the command's.
      reader.expect(undefined);
      onStart(words.split(" ")[1] ?? "");
    },
  );
  reader.expect(mark);
  const hear = (bytes: Buffer) => {
    pushInto(reader, bytes, channel);
    if (rest === undefined) return;
    channel.off("data", hear);
    channel.pause();
    if (rest.length > 0) channel.unshift(Buffer.concat(rest));
  };
  channel.on("data", hear);
}

function pushInto(reader: MarkReader, bytes: Buffer, channel: ClientChannel): void {
  try {
    reader.push(bytes);
  } catch {
    channel.close();
  }
}

/** `giveUp` closes the channel of a command whose end nobody tells. */
function endOf(channel: ClientChannel, connection: Connection) {
  const end = Promise.withResolvers<StreamEnd>();
  const closed = Promise.withResolvers<void>();
  let forget = () => {};
  const close = (reason: string) => {
    forget();
    end.resolve({ kind: "lost", reason });
    closed.resolve();
  };
  forget = connection.onGone(close);
  channel.once("exit", (code: number | null, signal?: string) => {
    end.resolve(code === null ? { kind: "killed", signal: signal ?? "SIGKILL" } : { kind: "exited", code });
  });
  channel.once("close", () => close(connection.gone ?? "its channel was closed"));
  return {
    ...{ ended: end.promise, closed: closed.promise },
    giveUp() {
      channel.close();
      close("nobody tells how it ended");
    },
  };
}
