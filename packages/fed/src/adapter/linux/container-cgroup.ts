import type { EngineContainer } from "./container-engine.ts";
import { ownText } from "./shown.ts";
import { wholeOf } from "./word.ts";

/** What the cgroup of a running container counts. */
export interface Cgroup {
  readonly id: string;
  readonly engine: "docker" | "podman";
  /** Below the root of the cgroups, as cAdvisor's label `id` has it. */
  readonly path: string;
  readonly cpuSeconds?: number;
  readonly usageBytes?: number;
  /** Without the pages of files that nobody used lately, which the kernel can take back at once. */
  readonly workingSetBytes?: number;
  readonly rssBytes?: number;
  /** 0: none. */
  readonly limitBytes?: number;
  /** Since the container was started. */
  readonly oomKills?: number;
  readonly network: readonly { readonly name: string; readonly receivedBytes: number; readonly sentBytes: number }[];
}

const place = /^\/(?:[^ ]*\/)?(?:(docker)[-/]|libpod-)([0-9a-f]{64})(?:\.scope)?$/;
/** Without a limit version 1 says the largest number of pages there is, version 2 the word `max`. */
const noLimit = 2 ** 62;
const devices = 8;

/**
 * Lines `c PATH CPU USAGE INACTIVE RSS LIMIT OOM` (CPU time in microseconds or nanoseconds: `12u`, `12n`; what the kernel does not tell
 * is `-`) and `n PATH DEVICE RECEIVED SENT`; by the container's id.
 */
export function readCgroups(lines: readonly string[]): ReadonlyMap<string, Cgroup> {
  const cgroups = new Map<string, Cgroup>();
  const networks = new Map<string, { name: string; receivedBytes: number; sentBytes: number }[]>();
  for (const line of lines) {
    if (line.startsWith("c ")) {
      const [, path = "", cpu = "", usage, inactive, rss, limit, oom] = line.split(" ");
      const [, docker, found] = place.exec(path) ?? [];
      if (found === undefined || path.length > 400) continue;
      const id = ownText(found);
      const network: { name: string; receivedBytes: number; sentBytes: number }[] = [];
      networks.set(path, network);
      const usageBytes = count(usage);
      const inactiveBytes = count(inactive) ?? 0;
      cgroups.set(id, {
        id,
        engine: docker === undefined ? "podman" : "docker",
        path,
        network,
        ...present("cpuSeconds", seconds(cpu)),
        ...present("usageBytes", usageBytes),
        ...present("workingSetBytes", usageBytes === undefined ? undefined : Math.max(0, usageBytes - inactiveBytes)),
        ...present("rssBytes", count(rss)),
        ...present("limitBytes", limit === "max" ? 0 : bounded(count(limit))),
        ...present("oomKills", count(oom)),
      });
    } else if (line.startsWith("n ")) {
      const [, path = "", name = "", received, sent] = line.split(" ");
      const receivedBytes = count(received);
      const sentBytes = count(sent);
      const network = networks.get(path);
      if (network === undefined || network.length >= devices || name === "" || name.length > 64) continue;
      if (receivedBytes !== undefined && sentBytes !== undefined) network.push({ name, receivedBytes, sentBytes });
    }
  }
  return cgroups;
}

function present<K extends string>(key: K, value: number | undefined): { readonly [key in K]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: number };
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : undefined;
}

function seconds(text: string): number | undefined {
  const value = count(text.slice(0, -1));
  if (value === undefined) return undefined;
  if (text.endsWith("n")) return value / 1e9;
  return text.endsWith("u") ? value / 1e6 : undefined;
}

function bounded(bytes: number | undefined): number | undefined {
  return bytes !== undefined && bytes >= noLimit ? 0 : bytes;
}

interface Run {
  atMs: number;
  cpuSeconds: number | undefined;
  /** Of runs before this one. */
  oomBefore: number;
  /** The cgroup's own count of this run. */
  oomNow: number;
  /** The run that the engine said was ended for its memory, if that is counted. */
  oomStartedMs: number | undefined;
}

/** What needs two looks: CPU in use, and how often a container was out of memory though each start begins to count anew. */
export function openMeter() {
  const runs = new Map<string, Run>();
  return {
    measure(container: EngineContainer, cgroup: Cgroup | undefined, machineMs: number) {
      const before = runs.get(container.id);
      const run: Run = before ?? { atMs: 0, cpuSeconds: undefined, oomBefore: 0, oomNow: 0, oomStartedMs: undefined };
      if (before === undefined) runs.set(container.id, run);
      const cpu = coresInUse(run, cgroup?.cpuSeconds, machineMs);
      run.atMs = machineMs;
      run.cpuSeconds = cgroup?.cpuSeconds;
      if (cgroup?.oomKills !== undefined) {
        if (cgroup.oomKills < run.oomNow) run.oomBefore += run.oomNow;
        run.oomNow = cgroup.oomKills;
      }
      // What ended with its cgroup was not counted by it for us to see.
      if (container.oomKilled && container.startedMs !== run.oomStartedMs) {
        run.oomStartedMs = container.startedMs;
        if (run.oomNow === 0) run.oomBefore++;
      }
      const oomKills = wholeOf(run.oomBefore + run.oomNow);
      const told = cgroup?.oomKills !== undefined || container.oomKilled !== undefined;
      return { ...(cpu === undefined ? {} : { cpu }), ...(told ? { oomKills } : {}) };
    },
    keepOnly(ids: ReadonlySet<string>) {
      for (const id of runs.keys()) if (!ids.has(id)) runs.delete(id);
    },
  };
}

/** A clock that was set meanwhile tells nothing; nor does a cgroup that began anew. */
function coresInUse(before: Run, cpuSeconds: number | undefined, machineMs: number): number | undefined {
  const elapsedMs = machineMs - before.atMs;
  if (cpuSeconds === undefined || before.cpuSeconds === undefined || elapsedMs < 200 || elapsedMs > 600_000)
    return undefined;
  return cpuSeconds < before.cpuSeconds ? undefined : ((cpuSeconds - before.cpuSeconds) * 1_000) / elapsedMs;
}
