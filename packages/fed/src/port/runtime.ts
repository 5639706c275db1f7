/**
 * Port `runtime`: something that runs instances and tells what runs. Reality is its state: what it lists is read
 * from what runs (labels), never from a file of wishes. Instances outlive the hub; the next one that opens the runtime
 * finds them.
 *
 * A runtime never restarts anything: it tells of an end quickly and truthfully. When to start again, how long to wait
 * and when to give up is decided once, above, for all runtimes alike.
 */

/** What every instance carries, so that what runs can be read back. */
export interface InstanceLabels {
  readonly lab: string;
  readonly environment: string;
  readonly service: string;
  /** Hash of the resolved spec: two instances with one hash are interchangeable. */
  readonly spec: string;
  /** 0, 1, … below the service's `replicas`. */
  readonly replica: number;
}

/** What to run. */
export type Workload =
  | { readonly kind: "process"; readonly command: readonly string[]; readonly folder: string }
  | { readonly kind: "image"; readonly reference: string }
  /** `dockerfile` is a path below `folder`; the engine's own default when left out. */
  | { readonly kind: "build"; readonly folder: string; readonly dockerfile?: string };

export interface InstanceLimits {
  /** Share of cores; 0.5 is half of one. */
  readonly cpu?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

export interface InstanceSpec {
  /** Made by the hub (`makeId("ins", …)`); unique for ever. */
  readonly id: string;
  readonly labels: InstanceLabels;
  readonly workload: Workload;
  /** With secrets resolved: reaches the instance only, no log, event, error or argv. PORT is added by the runtime. */
  readonly environment: Readonly<Record<string, string>>;
  /** A port the instance must have; otherwise the runtime hands out a free one. */
  readonly port?: number | undefined;
  readonly limits: InstanceLimits;
}

/** How it ended. Neither code nor signal: nobody saw it. */
export interface Exit {
  /** Exit code. One above 128 that means a signal by the shell's convention may be told as that signal. */
  readonly code?: number | undefined;
  /** Name of the signal that ended it, such as "SIGKILL". */
  readonly signal?: string | undefined;
  /** The system ended it for using more memory than its limit. */
  readonly reason?: "memory" | undefined;
  /** When it ended; when that was noticed, if nobody saw it. */
  readonly atMs: number;
}

/** One running (or ended, not yet removed) copy, as the runtime sees it. */
export interface Instance {
  readonly id: string;
  readonly labels: InstanceLabels;
  /** "exited" once nothing of it runs any more: no child, no helper. */
  readonly state: "running" | "exited";
  /** Where it listens; loopback for a process. */
  readonly address: { readonly host: string; readonly port: number };
  readonly startedMs: number;
  readonly pid?: number | undefined;
  readonly exit?: Exit | undefined;
}

export type RuntimeEvent =
  | { readonly kind: "started"; readonly id: string }
  | { readonly kind: "exited"; readonly id: string; readonly exit: Exit }
  | { readonly kind: "removed"; readonly id: string };

export interface LogLine {
  readonly instance: string;
  /** Without its end. What is no UTF-8 is replaced; a line over 64 KiB is cut, and says so. */
  readonly text: string;
  /** Where it ends, in the runtime's own words: to be handed back as `after`. */
  readonly at: string;
}

export interface LogOptions {
  /** How many of the last lines to begin with; all that is kept when left out. */
  readonly tail?: number | undefined;
  /**
   * Begin with the line behind the one that had this `at`; `tail` does not count then. It holds as long as the instance
   * is there, also for the next hub. Fault `invalid` for what never was one.
   */
  readonly after?: string | undefined;
  /** Go on with new lines until the signal aborts or the instance has ended. */
  readonly follow?: boolean | undefined;
}

export interface RuntimeFeatures {
  /** Kinds of workload it can run. */
  readonly workloads: readonly Workload["kind"][];
  /** Limits it enforces here. One that it cannot enforce does not keep an instance from starting; the diary says so. */
  readonly limits: { readonly cpu: boolean; readonly memory: boolean };
}

export interface Runtime {
  readonly name: string;
  readonly features: RuntimeFeatures;
  /** Everything of ours that runs or has ended and was not removed, in order of id. */
  list(signal: AbortSignal): Promise<readonly Instance[]>;
  /**
   * Returns once it runs (not: is healthy). Fault `missing` when the command or folder does not exist, `denied` when it
   * may not be run, `unsupported` for a workload it does not know, `conflict` for an id or a port in use. After a Fault
   * or an abort there is no instance. One that finds its port taken after all simply ends.
   */
  start(spec: InstanceSpec, signal: AbortSignal): Promise<Instance>;
  /**
   * Asks it to end, waits `graceMs`, then forces it; returns when it is "exited". An instance that is not there is
   * stopped already. Several may ask at once, each with its own grace. An abort gives up waiting: it was asked, and may
   * be running still.
   */
  stop(id: string, graceMs: number, signal: AbortSignal): Promise<void>;
  /**
   * Forgets an ended instance and what it kept (its output with it). Fault `conflict` while it runs; one that is not
   * there is removed already.
   */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /**
   * Output, stdout and stderr in the order they came; at least the last 10 MB are kept. Ends quietly when the signal
   * aborts. Fault `missing` for an unknown id. A reader that is overtaken by what is cut off gets a line that says so.
   */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  /**
   * What happens from the moment of the call on, until the signal aborts. The queue of each watcher is bounded, and a slow
   * one loses the oldest: events say when to look, `list` says what is.
   */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}
