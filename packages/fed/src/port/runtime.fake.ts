import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type {
  ContainerRuntime,
  Exit,
  Instance,
  InstanceSpec,
  LogLine,
  LogOptions,
  RunOutcome,
  RuntimeEvent,
  RuntimeFeatures,
  StoredVolume,
  Workload,
} from "./runtime.ts";

/** What an instance does by itself. Left out: it prints nothing and runs until asked to end. */
export interface FakeBehaviour {
  /** The command is not there: `start` is refused. */
  readonly absent?: boolean;
  /** Lines printed at once. */
  readonly prints?: readonly string[];
  /** Then the values of these variables, a line each. */
  readonly shows?: readonly string[];
  /** Then what is in the files whose paths are in these variables. */
  readonly reads?: readonly string[];
  /** Asked to end it dies of the signal, ignores it, or prints a last word and exits with 0. */
  readonly onTerm?: "dies" | "ignores" | "says bye";
  /** Ends by itself, right after printing. */
  readonly ends?: { readonly code: number } | { readonly signal: string };
}

export interface FakeRuntimeOptions {
  readonly clock: Clock;
  /** All kinds when left out. */
  readonly workloads?: readonly Workload["kind"][];
  readonly behave?: (spec: InstanceSpec) => FakeBehaviour;
  /** What differs from a runtime that can do everything. */
  readonly features?: Partial<RuntimeFeatures>;
  /** What a command inside an instance comes to; code 0 and the command itself as output when left out. */
  readonly runs?: (spec: InstanceSpec, argv: readonly string[]) => RunOutcome;
}

/** A runtime in memory, where time passes on the clock alone. */
export interface FakeRuntime extends ContainerRuntime {
  /** Everything ever started, in order, as it was asked for. */
  readonly started: readonly InstanceSpec[];
  /** Ends an instance as if it had crashed; with code 1 when left out. */
  crash(id: string, exit?: Omit<Exit, "atMs">): void;
  /** Changes a running instance as somebody may do by hand. */
  alter(id: string): void;
  /** Makes an instance print a line. */
  print(id: string, text: string): void;
  /** The next start is refused with this. */
  failStart(fault: Fault): void;
  /** What the next hub would open: another object over the same instances. */
  reopen(): FakeRuntime;
}

interface FakeInstance {
  readonly spec: InstanceSpec;
  readonly behaviour: FakeBehaviour;
  instance: Instance;
  readonly lines: string[];
  removed: boolean;
  /** Called at each line, at the end and at removal. */
  readonly wakers: Set<() => void>;
}

interface World {
  readonly options: FakeRuntimeOptions;
  readonly instances: Map<string, FakeInstance>;
  readonly started: InstanceSpec[];
  readonly volumes: Map<string, StoredVolume>;
  nextPort: number;
  nextFault: Fault | undefined;
}

export function makeFakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  return openWorld({
    options,
    instances: new Map(),
    started: [],
    volumes: new Map(),
    nextPort: 20_000,
    nextFault: undefined,
  });
}

function openWorld(world: World): FakeRuntime {
  const { clock, workloads = ["process", "image", "build"] } = world.options;
  const events = makeBroadcast<RuntimeEvent>(1_000);
  const end = (one: FakeInstance, exit: Omit<Exit, "atMs">) => {
    if (one.instance.state === "exited") return;
    one.instance = { ...one.instance, state: "exited", pid: undefined, exit: { ...exit, atMs: clock.nowMs() } };
    wake(one);
    events.send({ kind: "exited", id: one.spec.id, exit: { ...exit, atMs: clock.nowMs() } });
  };
  return {
    name: "fake",
    features: {
      ...{ workloads, limits: { cpu: true, memory: true }, commands: true, events: true },
      ...world.options.features,
    },
    started: world.started,
    async list(signal) {
      signal.throwIfAborted();
      return [...world.instances.values()].map((one) => one.instance).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async start(spec, signal) {
      signal.throwIfAborted();
      const one = begin(world, workloads, spec);
      events.send({ kind: "started", id: spec.id });
      const { instance } = one;
      one.lines.push(...printsOf(one));
      // Not before whoever started it knows that it runs.
      if (one.behaviour.ends) clock.after(0, () => one.behaviour.ends && end(one, one.behaviour.ends));
      return instance;
    },
    async stop(id, graceMs, signal) {
      signal.throwIfAborted();
      const one = world.instances.get(id);
      if (!one || one.instance.state === "exited") return;
      const { onTerm = "dies" } = one.behaviour;
      if (onTerm === "says bye") one.lines.push("bye");
      if (onTerm === "ignores" && !(await endsWithin(clock, one, graceMs, signal))) end(one, { signal: "SIGKILL" });
      else end(one, onTerm === "dies" ? { signal: "SIGTERM" } : { code: 0 });
    },
    async remove(id, signal) {
      signal.throwIfAborted();
      const one = world.instances.get(id);
      if (!one) return;
      if (one.instance.state === "running") throw new Fault("conflict", `instance ${id} still runs`);
      world.instances.delete(id);
      one.removed = true;
      wake(one);
      events.send({ kind: "removed", id });
    },
    async *logs(id, logOptions, signal) {
      yield* readLines(find(world, id), logOptions, signal);
    },
    async stats(ids, signal) {
      signal.throwIfAborted();
      const running = ids.filter((id) => world.instances.get(id)?.instance.state === "running");
      return running.map((id) => ({ id, cpuSeconds: 1, memoryBytes: 2 ** 20 }));
    },
    async run(id, argv, _timeoutMs, signal) {
      const { spec, instance } = find(world, id);
      if (instance.state === "exited") throw new Fault("missing", `instance ${id} has ended`);
      await Promise.resolve();
      signal.throwIfAborted();
      return world.options.runs?.(spec, argv) ?? { code: 0, output: argv.join(" ") };
    },
    watch: (signal) => events.read(signal),
    hostAddress: async () => "127.0.0.1",
    async volumes(signal) {
      signal.throwIfAborted();
      return [...world.volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async removeVolume(name, signal) {
      signal.throwIfAborted();
      if ([...world.instances.values()].some(({ spec }) => volumesOf(spec).some((one) => one.name === name)))
        throw new Fault("conflict", `the volume ${name} is in use`);
      world.volumes.delete(name);
    },
    close: async () => events.close(),
    crash: (id, exit = { code: 1 }) => end(find(world, id), exit),
    alter(id) {
      const one = find(world, id);
      one.instance = { ...one.instance, altered: true };
      events.send({ kind: "altered", id });
    },
    print(id, text) {
      const one = find(world, id);
      one.lines.push(text);
      wake(one);
    },
    failStart(fault) {
      world.nextFault = fault;
    },
    reopen() {
      events.close();
      return openWorld(world);
    },
  };
}

function begin(world: World, workloads: readonly Workload["kind"][], spec: InstanceSpec): FakeInstance {
  const { id, labels, workload } = spec;
  const fault = world.nextFault;
  world.nextFault = undefined;
  if (fault) throw fault;
  if (!workloads.includes(workload.kind)) throw new Fault("unsupported", `no workloads of kind ${workload.kind}`);
  const behaviour = world.options.behave?.(spec) ?? {};
  if (behaviour.absent) throw new Fault("missing", "the command does not exist");
  if (world.instances.has(id)) throw new Fault("conflict", `there is an instance ${id} already`);
  const holder = [...world.instances.values()].find(
    ({ instance }) => instance.state === "running" && instance.address.port === spec.port,
  );
  if (holder) throw new Fault("conflict", `port ${spec.port} is in use by instance ${holder.spec.id}`);
  const port = spec.port ?? world.nextPort++;
  const instance: Instance = {
    id,
    labels,
    state: "running",
    address: { host: "127.0.0.1", port },
    startedMs: world.options.clock.nowMs(),
    pid: 1_000_000 + world.started.length,
  };
  const one: FakeInstance = { spec, behaviour, instance, lines: [], removed: false, wakers: new Set() };
  world.instances.set(id, one);
  for (const volume of volumesOf(spec)) if (!world.volumes.has(volume.name)) world.volumes.set(volume.name, volume);
  world.started.push(spec);
  return one;
}

function volumesOf({ labels, container }: InstanceSpec): readonly StoredVolume[] {
  const { lab, environment, service } = labels;
  const mounts = container?.mounts ?? [];
  return mounts.flatMap((one) => (one.kind === "volume" ? [{ name: one.name, lab, environment, service }] : []));
}

function printsOf({ spec, behaviour }: FakeInstance): readonly string[] {
  const { prints = [], shows = [], reads = [] } = behaviour;
  const values = shows.map((variable) => spec.environment[variable] ?? "");
  return [...prints, ...values, ...reads.flatMap((variable) => spec.files?.[variable]?.content.split("\n") ?? [])];
}

function find(world: World, id: string): FakeInstance {
  const one = world.instances.get(id);
  if (!one) throw new Fault("missing", `there is no instance ${id}`);
  return one;
}

function wake(one: FakeInstance): void {
  for (const waker of [...one.wakers]) waker();
}

async function* readLines(one: FakeInstance, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
  const { lines, spec } = one;
  let at = options.tail === undefined ? 0 : Math.max(0, lines.length - options.tail);
  if (options.after !== undefined) {
    if (!/^\d+$/.test(options.after)) throw new Fault("invalid", `${options.after} is no place in an output`);
    at = Number(options.after);
  }
  while (!signal.aborted) {
    const ended = one.removed || one.instance.state === "exited";
    for (; at < lines.length && !signal.aborted; at++) {
      yield { instance: spec.id, text: lines[at] ?? "", at: String(at + 1) };
    }
    if (ended || !options.follow) return;
    if (at === lines.length && !one.removed && one.instance.state === "running") await nextWake(one, signal);
  }
}

function nextWake(one: FakeInstance, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      one.wakers.delete(done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    one.wakers.add(done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Whether it ended by itself within the time; rejects with the reason of an abort. */
function endsWithin(clock: Clock, one: FakeInstance, limitMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const settle = (outcome: () => void) => {
      timer?.cancel();
      one.wakers.delete(look);
      signal.removeEventListener("abort", stop);
      outcome();
    };
    const look = () => {
      if (one.instance.state === "exited") settle(() => resolve(true));
    };
    const stop = () => settle(() => reject(signal.reason));
    timer = clock.after(limitMs, () => settle(() => resolve(false)));
    one.wakers.add(look);
    signal.addEventListener("abort", stop, { once: true });
  });
}
