import { makeBroadcast } from "#base/broadcast.ts";
import type { Clock } from "#base/clock.ts";
import { Fault, toFault } from "#base/fault.ts";
import type { Redactor } from "#base/redact.ts";
import type { Trace } from "#base/trace.ts";
import type { ImageStore } from "#port/image.ts";
import type {
  InstanceSpec,
  InstanceUse,
  LogLine,
  LogOptions,
  RunOutcome,
  Runtime,
  RuntimeEvent,
  StoredVolume,
} from "#port/runtime.ts";
import type { Shell } from "#port/shell.ts";
import { openReach, reachHere } from "./reach.ts";
import { type Engine, openSite, type Placed, processSite, type Site } from "./site.ts";

/** What is there on all machines that could be asked. */
export interface Survey {
  readonly placed: readonly Placed[];
  /** Machines of which nobody knows, each with the reason. */
  readonly unseen: ReadonlyMap<string, string>;
}

export interface SitesNeeds {
  readonly clock: Clock;
  readonly trace: Trace;
  /** Takes secrets out of what instances say: here it comes into the hub. */
  readonly redactor: Pick<Redactor, "redact">;
  /** What runs processes on the hub's own machine. */
  readonly processes: Runtime;
  /** A way to a machine of the fleet, opened when it is first used. `local`: it is the hub's own. Throws a Fault for one it cannot log in to. */
  openShell(machine: string): { readonly shell: Shell; readonly local: boolean };
  /** Finds the container engine of a machine. Faults as of a site's `open`. */
  openEngine(
    machine: string,
    way: { readonly shell: Shell; readonly local: boolean },
    signal: AbortSignal,
  ): Promise<Engine>;
  /** Whether what runs under this lab's name is this hub's: an engine may be that of several. */
  isOurs(lab: string): boolean;
  /** Something happened to an instance. */
  onEvent(event: RuntimeEvent): void;
  /** A machine may have other things to tell now. */
  onChange(): void;
}

/** Everything that runs something for the hub: its own processes, and the container engines of machines. */
export interface Sites extends Pick<Runtime, "logs" | "watch"> {
  /** The machines whose engines are asked from now on; and those whose images somebody may still be working with. */
  follow(machines: Iterable<string>): void;
  look(signal: AbortSignal): Promise<Survey>;
  /** Starts an instance on a machine. */
  start(machine: string, spec: InstanceSpec, signal: AbortSignal): Promise<Placed>;
  stop(id: string, graceMs: number, signal: AbortSignal): Promise<void>;
  remove(id: string, signal: AbortSignal): Promise<void>;
  run(id: string, argv: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<RunOutcome>;
  stats(signal: AbortSignal): Promise<readonly InstanceUse[]>;
  /** The machine's own address as containers of a lab's environment see it. */
  hostAddress(machine: string, lab: string, environment: string, signal: AbortSignal): Promise<string>;
  /** The volumes of all machines that can be asked, of services of ours. One that is away holds nobody up. */
  volumes(signal: AbortSignal): Promise<{
    readonly volumes: readonly (Omit<StoredVolume, "lab"> & { readonly machine: string })[];
    readonly unseen: ReadonlyMap<string, string>;
  }>;
  /** Removes a volume of a machine's engine, with its data. */
  removeVolume(machine: string, name: string, signal: AbortSignal): Promise<void>;
  /** The images of a machine. Fault `unreachable` when it cannot be asked now, `unsupported` when it has no engine. */
  imagesOf(machine: string, signal: AbortSignal): Promise<ImageStore>;
  /** Of instances that are gone. */
  forget(id: string): void;
  close(): Promise<void>;
}

const eventsKept = 1_000;
/** Longer than anything that is done with the images of a machine may take. */
const lentMs = 60 * 60_000;

export function openSites(needs: SitesNeeds): Sites {
  const { redact } = needs.redactor;
  const own = processSite("", needs.processes, reachHere, needs.clock);
  const engines = new Map<string, Site>();
  /** Where an instance is. */
  const homes = new Map<string, Site>();
  /** When the images of a machine were last asked for: who is about to run something there for the first time needs them. */
  const lent = new Map<string, number>();
  const leaving = new Set<Promise<void>>();
  const stop = new AbortController();
  const events = makeBroadcast<RuntimeEvent>(eventsKept);
  const told = (event: RuntimeEvent) => {
    events.send(event);
    needs.onEvent(event);
  };
  void hear(needs, stop.signal, told);

  function open(machine: string): Site {
    const known = engines.get(machine);
    if (known) return known;
    const site = openEngineSite(needs, machine, told);
    engines.set(machine, site);
    return site;
  }

  const isLent = (machine: string) => needs.clock.tickMs() - (lent.get(machine) ?? Number.NEGATIVE_INFINITY) < lentMs;

  function leave(site: Site) {
    engines.delete(site.machine);
    lent.delete(site.machine);
    for (const [id, home] of homes) if (home === site) homes.delete(id);
    const closed = site.close().finally(() => leaving.delete(closed));
    leaving.add(closed);
  }

  const homeOf = (id: string): Site => homes.get(id) ?? own;

  /** A machine that is lost meanwhile is not asked again until it is back. */
  async function at<T>(site: Site, signal: AbortSignal, deed: (runtime: Runtime) => Promise<T>): Promise<T> {
    try {
      return await deed(await site.runtime(signal));
    } catch (thrown) {
      if (!signal.aborted) site.failed(toFault(thrown));
      throw thrown;
    }
  }

  return {
    follow(machines) {
      const wanted = new Set(machines);
      for (const site of [...engines.values()]) if (!wanted.has(site.machine) && !isLent(site.machine)) leave(site);
      for (const machine of wanted) open(machine);
    },
    async look(signal) {
      const sites = [own, ...engines.values()];
      const looks = await Promise.all(sites.map(async (site) => ({ site, look: await site.look(signal) })));
      const placed: Placed[] = [];
      const unseen = new Map<string, string>();
      for (const { site, look } of looks) {
        if (look.kind === "unseen") unseen.set(site.machine, look.why);
        else for (const one of look.instances) homes.set(one.instance.id, site);
        if (look.kind === "seen") placed.push(...look.instances);
      }
      return { placed: placed.sort((a, b) => (a.instance.id < b.instance.id ? -1 : 1)), unseen };
    },
    async start(machine, spec, signal) {
      const site = spec.workload.kind === "process" ? own : open(machine);
      homes.set(spec.id, site);
      const started = await at(site, signal, (runtime) => runtime.start(spec, signal));
      return site.place(started);
    },
    stop: (id, graceMs, signal) => at(homeOf(id), signal, (runtime) => runtime.stop(id, graceMs, signal)),
    remove: (id, signal) => at(homeOf(id), signal, (runtime) => runtime.remove(id, signal)),
    async run(id, argv, timeoutMs, signal) {
      const { code, output } = await at(homeOf(id), signal, (runtime) => runtime.run(id, argv, timeoutMs, signal));
      return { code, output: redact(output) };
    },
    async stats(signal) {
      const sites = [...new Set(homes.values())];
      const all = await Promise.allSettled(
        sites.map(async (site) => {
          const ids = [...homes].flatMap(([id, home]) => (home === site ? [id] : []));
          return (await site.runtime(signal)).stats(ids, signal);
        }),
      );
      signal.throwIfAborted();
      return all.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    },
    async *logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine> {
      const runtime = await homeOf(id).runtime(signal);
      for await (const line of runtime.logs(id, options, signal)) yield { ...line, text: redact(line.text) };
    },
    watch: (signal) => events.read(signal),
    async hostAddress(machine, lab, environment, signal) {
      return (await open(machine).engine(signal)).runtime.hostAddress(lab, environment, signal);
    },
    async volumes(signal) {
      const unseen = new Map<string, string>();
      const listed = await Promise.all(
        Array.from(engines.values(), async (site) => {
          const look = await site.look(signal);
          if (look.kind === "unseen") unseen.set(site.machine, look.why);
          if (look.kind === "unseen") return [];
          const { runtime } = await site.engine(signal);
          const found = await at(site, signal, () => runtime.volumes(signal));
          return found.flatMap(({ lab, ...one }) => (needs.isOurs(lab) ? [{ ...one, machine: site.machine }] : []));
        }),
      );
      return { volumes: listed.flat(), unseen };
    },
    async removeVolume(machine, name, signal) {
      await (await open(machine).engine(signal)).runtime.removeVolume(name, signal);
    },
    async imagesOf(machine, signal) {
      lent.set(machine, needs.clock.tickMs());
      return (await open(machine).engine(signal)).images;
    },
    forget(id) {
      homes.get(id)?.forget(id);
      homes.delete(id);
    },
    async close() {
      stop.abort(new Error("the hub is closing"));
      for (const site of [...engines.values()]) leave(site);
      await Promise.all([...leaving]);
      events.close();
    },
  };
}

/** What happens to the hub's own processes. */
async function hear({ processes, trace }: SitesNeeds, signal: AbortSignal, told: (event: RuntimeEvent) => void) {
  try {
    for await (const event of processes.watch(signal)) told(event);
  } catch (thrown) {
    if (!signal.aborted) trace.error("the runtime's watch ended", { reason: toFault(thrown).message });
  }
}

function openEngineSite(needs: SitesNeeds, machine: string, onEvent: (event: RuntimeEvent) => void): Site {
  const { clock, trace, onChange } = needs;
  const way = wayTo(needs, machine);
  const reach = way.kind === "none" || way.local ? reachHere : openReach({ shell: way.shell, clock, trace });
  const site = openSite({
    ...{ machine, clock, trace, reach, onEvent, onChange, isOurs: needs.isOurs },
    async open(signal) {
      if (way.kind === "none") throw way.fault;
      return needs.openEngine(machine, way, signal);
    },
  });
  return {
    ...site,
    async close() {
      await site.close();
      if (way.kind === "open") await way.shell.close();
    },
  };
}

type Way =
  | { readonly kind: "open"; readonly shell: Shell; readonly local: boolean }
  | { readonly kind: "none"; readonly fault: Fault };

function wayTo(needs: SitesNeeds, machine: string): Way {
  try {
    return { kind: "open", ...needs.openShell(machine) };
  } catch (thrown) {
    const fault = toFault(thrown);
    return { kind: "none", fault: new Fault("unsupported", fault.message, { cause: fault }) };
  }
}
