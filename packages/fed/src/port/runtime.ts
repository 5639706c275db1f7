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
  /** Id of the release it is of. */
  readonly release?: string | undefined;
  /** The image's digest and the commit of its source, for people who look at what runs without fed. */
  readonly digest?: string | undefined;
  readonly commit?: string | undefined;
}

/** What to run. */
export type Workload =
  | { readonly kind: "process"; readonly command: readonly string[]; readonly folder: string }
  /** Of an instance: the id of an image that is there (see port `image`); of a wish: a reference as people write it. */
  | { readonly kind: "image"; readonly reference: string }
  /** `dockerfile` is a path below `folder`; the engine's own default when left out. */
  | { readonly kind: "build"; readonly folder: string; readonly dockerfile?: string };

export interface InstanceLimits {
  /** Share of cores; 0.5 is half of one. */
  readonly cpu?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** What a container finds inside; targets are absolute paths there. */
export type Mount =
  /** A volume of the engine's, made when it is not there; it outlives every instance. */
  | { readonly kind: "volume"; readonly name: string; readonly target: string; readonly readOnly: boolean }
  /** A folder of the machine. Fault `missing` when it is not there. */
  | { readonly kind: "folder"; readonly path: string; readonly target: string; readonly readOnly: boolean };

/** How a container stands in its machine; a process has nothing of this. */
export interface ContainerPlace {
  /** Where it listens inside its own network: published on 127.0.0.1 of its machine at a free port, which is its address. */
  readonly port?: number | undefined;
  /** The port of the machine, on all its addresses, at which `port` is published as well. */
  readonly hostPort?: number | undefined;
  readonly mounts: readonly Mount[];
  /** More names that it can look up, each with an address; `host-gateway` is its machine as seen from its network. */
  readonly hosts: Readonly<Record<string, string>>;
}

export interface InstanceSpec {
  /** Made by the hub (`makeId("ins", …)`); unique for ever. */
  readonly id: string;
  readonly labels: InstanceLabels;
  readonly workload: Workload;
  /** With secrets resolved: reaches the instance only, no log, event, error or argv. PORT is added by the runtime. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Secrets as files, by the variable in which the instance finds the file's path. Only the instance (and root) can read
   * them; they are gone with it.
   */
  readonly files?: Readonly<Record<string, { readonly name: string; readonly content: string }>> | undefined;
  /** A port the process must have; otherwise the runtime hands out a free one. */
  readonly port?: number | undefined;
  /** Of an image. Fault `missing` for a folder to mount that is not there. */
  readonly container?: ContainerPlace | undefined;
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
  /** Where it listens, as seen on its machine; loopback for a process. Port 0 when it listens on nothing that fed knows. */
  readonly address: { readonly host: string; readonly port: number };
  readonly startedMs: number;
  readonly pid?: number | undefined;
  readonly exit?: Exit | undefined;
  /** Somebody has changed it since it was first seen (its limits, what restarts it): it is not what its spec says any more. */
  readonly altered?: true | undefined;
}

export type RuntimeEvent =
  | { readonly kind: "started"; readonly id: string }
  | { readonly kind: "exited"; readonly id: string; readonly exit: Exit }
  | { readonly kind: "altered"; readonly id: string }
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
  /** `run` is there: commands can be run inside an instance. */
  readonly commands: boolean;
  /** It tells ends by itself; where it does not, `list` is to be asked now and then. */
  readonly events: boolean;
}

/** What an instance uses now. */
export interface InstanceUse {
  readonly id: string;
  /** Processor time since its start, in seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/**
 * How a command inside an instance ended: its code (124 when it took too long, 127 when there is no such command, 126 when it may not be
 * run) and the last of what it said.
 */
export interface RunOutcome {
  readonly code: number;
  readonly output: string;
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
  /** What running instances use; those that have ended meanwhile are left out. */
  stats(ids: readonly string[], signal: AbortSignal): Promise<readonly InstanceUse[]>;
  /**
   * Runs a command inside a running instance, with its environment, until it ends or `timeoutMs` is over; one that takes too long, or is
   * given up, is ended with all that it began. While one that could not be ended still runs no other is begun: that takes too long,
   * too. At most 64 KiB of output are kept. Fault `missing` for an unknown or ended instance, `unsupported` where `features.commands` is false.
   */
  run(id: string, argv: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<RunOutcome>;
  /**
   * What happens from the moment of the call on, until the signal aborts. The queue of each watcher is bounded, and a slow
   * one loses the oldest: events say when to look, `list` says what is.
   */
  watch(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

/** A volume of an engine's, and whose it is. */
export interface StoredVolume {
  readonly name: string;
  readonly lab: string;
  readonly environment: string;
  readonly service: string;
}

/** A runtime of containers: those of one lab in one environment are in a network of their own. */
export interface ContainerRuntime extends Runtime {
  /**
   * The machine's own address in that network, what `host-gateway` means: what listens there, or everywhere, is heard by these
   * containers. Makes the network when it is not there.
   */
  hostAddress(lab: string, environment: string, signal: AbortSignal): Promise<string>;
  /** The volumes that were made for services of ours, whoever has them now, in order of name. */
  volumes(signal: AbortSignal): Promise<readonly StoredVolume[]>;
  /**
   * Removes a volume with its data, for good; one that is not there is removed already. Fault `conflict` while a container, also an ended
   * one, has it, `denied` for one that was not made for a service of ours.
   */
  removeVolume(name: string, signal: AbortSignal): Promise<void>;
  /** Lets go of the engine. What runs goes on. */
  close(): Promise<void>;
}
