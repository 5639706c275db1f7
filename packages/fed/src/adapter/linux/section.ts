/**
 * What a section of the program for Linux is made of: a piece of `sh` that runs on the machine, and its reader, here.
 *
 * Rules for `script`, which becomes the body of a function of the one `sh` that serves all sections, for days:
 * - POSIX sh, no more: it runs in dash, busybox ash and bash, as any user, as root too. Indentation and whole lines of comment are
 *   taken out before it is sent; the whole program stays below 12 KB.
 * - Few processes: a fork costs more than what it reads. One `cat` of many files, shell builtins, globs.
 * - stdin is empty, stderr is dropped (`2>&1` where the reader wants it), LC_ALL is C, the PATH has the sbin folders.
 * - `show FILE…` says files with their names, as `readFiles` of files.ts reads them; globs are welcome.
 * - What is not there (a file, a tool) is no error: say nothing. The code of the last command is told to the reader.
 * - What can hang (a mount, a daemon) or take long runs under `lim SECONDS COMMAND…`, which is `timeout` where the machine has one
 *   (KILL after SECONDS, code 124 or 137) and otherwise does not run the command at all (code 125).
 * - Variables are global and stay: names begin with the section's, such as `cpu_seen`. Names with an underscore in front are the
 *   frame's. IFS, the folder and `set` options are left as they are; `set --` is free, it is the function's own.
 */
import type {
  SampleSink,
  ToldContainer,
  ToldFacts,
  ToldProcess,
  ToldStorage,
  ToldUnit,
  ToldUpdate,
} from "#port/collector.ts";

export type LinuxSection = ScriptSection | FileSection;

interface AnySection {
  /** Lower-case letters only: it is part of a function's name. */
  readonly name: string;
  /** A reader for one machine, with what it remembers from tick to tick. */
  open(): SectionReader;
}

export interface ScriptSection extends AnySection {
  /** Samples of one with more than two minutes are told again in between: they would be stale for PromQL otherwise. */
  readonly everyMs: number;
  /** May take many seconds on a small machine. */
  readonly slow?: boolean;
  readonly script: string;
}

/**
 * Needs no more than the content of files, with every tick: those of all such sections are read by one process, which is much the
 * cheapest way there is. Its text is read by `readFiles` of files.ts; a file that is not there is left out.
 */
export interface FileSection extends AnySection {
  readonly everyMs: 0;
  /** Absolute paths without spaces and quotes, or globs (a star, [0-9]). Reading them never waits for a device. */
  readonly files: readonly string[];
}

/**
 * Reads what the section said. Throws Fault `invalid`, its message in plain words for the machine's page, for what it cannot read: the
 * section failed then, the others did not. Whatever the text is, nothing else is thrown, and what is remembered stays bounded.
 */
export type SectionReader = (text: string, into: SectionSink, tick: SectionTick) => void;

export interface SectionTick {
  /** By the machine's own clock. */
  readonly machineMs: number;
  /** Exit code of the section's last command. */
  readonly code: number;
  /** The text's end is missing. */
  readonly cut: boolean;
}

/**
 * Lists told by several sections are joined; a section's own list replaces what it told before. Texts in lists and facts are kept: they
 * are `ownText` of shown.ts, and so is what a reader remembers.
 */
export interface SectionSink {
  readonly sample: SampleSink;
  facts(part: Partial<ToldFacts>): void;
  units(list: readonly ToldUnit[]): void;
  containers(list: readonly ToldContainer[]): void;
  processes(list: readonly ToldProcess[]): void;
  updates(part: { readonly list: readonly ToldUpdate[]; readonly restart: boolean }): void;
  storage(list: readonly ToldStorage[]): void;
  /**
   * Something could not be told though the section could be read: "1,204 containers, of which 500 are shown". Becomes a failure of the
   * section in this tick.
   */
  problem(reason: string): void;
}
