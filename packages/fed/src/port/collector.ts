/**
 * Port `collector`: what a machine is asked about itself, and what its answer means. It does no asking itself: its program is a text
 * for the machine's own `sh`, its readers are pure. Whoever uses it brings a shell, or a machine that reports by itself.
 *
 * The program defines a function and waits. A line `tick SEQUENCE SECTION…` on its stdin makes it say one tick on its stdout: the
 * outputs of these sections in this order, between lines that begin with `mark`. It ends with its stdin. Two programs with the same
 * mark are the same text, and a changed program is another `version`.
 */
export interface Section {
  /** Such as `cpu`; lower-case letters and dashes. */
  readonly name: string;
  /** Not more often than this; 0: with every tick. */
  readonly everyMs: number;
  /** May take longer than a machine may be silent: asked by itself and aside, so that nothing waits for it. */
  readonly slow?: boolean;
}

export interface Collector {
  readonly name: string;
  /** In the order in which they are asked. */
  readonly sections: readonly Section[];
  /** Of its program: SHA-256 in hex, of the text without the mark. */
  readonly version: string;
  /** `mark` is 16 or more letters and digits that nobody on the machine knows. */
  program(mark: string): string;
  /** The line that asks for a tick, with its end. */
  ask(sequence: number, sections: readonly string[]): string;
  openTicks(mark: string): TickReader;
  /** What ticks of one machine mean. Remembers what it needs from one tick to the next (a process's time, say). */
  openReading(): (tick: RawTick, sink: SampleSink) => Reading;
}

/** A tick as it came: bounded, and not understood yet. */
export interface RawTick {
  readonly sequence: number;
  /** By the machine's own clock; milliseconds since the epoch, exact to a second or better. */
  readonly machineMs: number;
  readonly sections: readonly RawSection[];
}

export interface RawSection {
  readonly name: string;
  /** What is no UTF-8 is replaced. */
  readonly text: string;
  /** Exit code of its commands. */
  readonly code: number;
  /** It said more than a section may; the end is missing. */
  readonly cut: boolean;
}

/** Takes bytes as they come. Memory is bounded, whatever comes. */
export interface TickReader {
  /**
   * Ticks that are whole now. Fault `invalid` for what a machine that runs our program cannot say (an endless line, wrong marks, a
   * tick without end): the connection is of no use any more.
   */
  push(bytes: Uint8Array): readonly RawTick[];
}

/**
 * `labels` without `machine`: that is the hub's to say. NaN and infinities are not told. `section`: which one told it, also when it is
 * told again in between because that one is asked rarely; a series that its section tells no more has ended. Left out: one of those
 * that were asked for.
 */
export type SampleSink = (
  metric: string,
  value: number,
  labels?: Readonly<Record<string, string>>,
  section?: string,
) => void;

/** What is told besides samples; a part that is left out was not asked for in this tick, or could not be read. */
export interface Reading {
  readonly facts?: ToldFacts;
  readonly units?: readonly ToldUnit[];
  readonly containers?: readonly ToldContainer[];
  /** The busiest ones. */
  readonly processes?: readonly ToldProcess[];
  readonly updates?: { readonly list: readonly ToldUpdate[]; readonly restart: boolean };
  readonly storage?: readonly ToldStorage[];
  /** Sections that failed, and why, in plain words. One that has nothing to tell (no GPU, no systemd) did not fail. */
  readonly failures: readonly SectionFailure[];
}

export interface SectionFailure {
  readonly section: string;
  readonly reason: string;
}

/** What each field means is told in `wire/machine.ts`, which has the same fields. */
export interface ToldFacts {
  readonly hostname: string;
  readonly os: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly bootedMs: number;
  readonly cpu?: string;
  readonly swapBytes?: number;
  readonly hardware?: string;
  readonly virtualization?: string;
}

export interface ToldUnit {
  readonly name: string;
  readonly description: string;
  readonly active: string;
  readonly sub: string;
  readonly restarts: number;
  readonly memoryBytes?: number;
  readonly cpuSeconds?: number;
}

export interface ToldContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly engine: "docker" | "podman";
  readonly state: string;
  readonly health?: "healthy" | "unhealthy" | "starting";
  readonly exitCode?: number;
  readonly restarts?: number;
  readonly startedMs?: number;
  readonly cpu?: number;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly oomKills?: number;
}

export interface ToldProcess {
  readonly pid: number;
  readonly user: string;
  readonly name: string;
  readonly command?: string;
  readonly cpu?: number;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly startedMs: number;
}

export interface ToldUpdate {
  readonly name: string;
  readonly current?: string;
  readonly next: string;
  readonly security: boolean;
  readonly manager: string;
}

export interface ToldStorage {
  readonly kind: "disk" | "array" | "pool";
  readonly name: string;
  readonly health: "good" | "warning" | "bad" | "unknown";
  readonly detail: string;
}
