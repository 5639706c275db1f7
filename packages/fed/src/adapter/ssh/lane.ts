import type { ClientChannel } from "ssh2";
import type { ShellCommand } from "#port/shell.ts";
import { makeMarkReader } from "./mark.ts";
import { laneLine, laneProgram, makeMark } from "./script.ts";

/** A kept-open `sh` that runs one command after the other. */
export interface Lane {
  readonly dead: boolean;
  /** The command that runs now: its process id, as far as it is known. */
  readonly process: { readonly pid: string; readonly only: boolean };
  run(command: ShellCommand, heard: LaneEars): Promise<LaneEnd>;
  close(): void;
}

export interface LaneEars {
  stdout(bytes: Buffer): void;
  stderr(bytes: Buffer): void;
}

export type LaneEnd =
  | { readonly kind: "exited"; readonly code: number }
  /** Nothing was run; the lane is of no more use, and another one can run it. */
  | { readonly kind: "unused" }
  /** The lane ended while it ran. */
  | { readonly kind: "lost" };

interface Job extends LaneEars {
  begun: boolean;
  /** Of both outputs. */
  endsToCome: number;
  end: LaneEnd;
  settle(end: LaneEnd): void;
}

/** `ready` resolves with false when the channel ends before its shell has said that it is there. */
export function openLane(channel: ClientChannel): { readonly lane: Lane; readonly ready: Promise<boolean> } {
  const ready = Promise.withResolvers<boolean>();
  const nobody = { stdout() {}, stderr() {} };
  let job: Job | undefined;
  let dead = false;
  let shellPid = "";
  /** Of the last command, which may have left something. */
  let pid = "";
  let readyMarks = 0;
  // What came before it began is of the one before.
  const ears = (): LaneEars => (job?.begun === true ? job : nobody);
  const guarded = (work: (bytes: Buffer) => void) => (bytes: Buffer) => {
    try {
      work(bytes);
    } catch {
      close();
    }
  };
  const stdout = makeMarkReader((bytes) => ears().stdout(bytes), hearStdout);
  const stderr = makeMarkReader(
    // Its first words may be here before it is told to have begun.
    (bytes) => (job ?? nobody).stderr(bytes),
    () => (job === undefined ? hearReady() : finishPart(job)),
  );

  function hearStdout(rest: string): void {
    const [word, value = ""] = rest.split(" ");
    if (job === undefined) {
      shellPid = value;
      hearReady();
    } else if (word === "run") {
      job.begun = true;
      pid = value;
    } else {
      job.end = word === "left" ? { kind: "unused" } : { kind: "exited", code: Number(value) };
      if (word === "left") dead = true;
      finishPart(job);
    }
  }

  function hearReady(): void {
    if (++readyMarks === 2) ready.resolve(true);
  }

  function finishPart(current: Job): void {
    if (--current.endsToCome === 0) current.settle(current.end);
  }

  function close(): void {
    dead = true;
    channel.close();
    job?.settle({ kind: job.begun ? "lost" : "unused" });
    ready.resolve(false);
  }

  channel.on("data", guarded(stdout.push));
  channel.stderr.on("data", guarded(stderr.push));
  channel.on("error", close);
  channel.once("close", close);
  const mark = makeMark();
  stdout.expect(mark);
  stderr.expect(mark);
  channel.write(laneProgram(mark));
  const lane: Lane = {
    get dead() {
      return dead;
    },
    get process() {
      return pid === "" ? { pid: shellPid, only: true } : { pid, only: false };
    },
    run(command, heard) {
      const next = makeMark();
      const line = laneLine(next, pid, command);
      const end = Promise.withResolvers<LaneEnd>();
      const settle = (how: LaneEnd) => {
        if (job === current) job = undefined;
        end.resolve(how);
      };
      const current: Job = { ...heard, begun: false, endsToCome: 2, end: { kind: "lost" }, settle };
      job = current;
      pid = "";
      stdout.expect(next);
      stderr.expect(next);
      if (dead) settle({ kind: "unused" });
      else channel.write(line);
      return end.promise;
    },
    close,
  };
  return { lane, ready: ready.promise };
}
