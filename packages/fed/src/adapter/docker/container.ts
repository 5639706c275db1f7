/** What an engine says of a container, as an instance. */
import { constants } from "node:os";
import type { Exit, Instance } from "#port/runtime.ts";
import type { InspectedContainer } from "./answer.ts";
import { fromEngineLabels, portLabel } from "./label.ts";

/** An instance and the engine's own id of its container. */
export interface Seen {
  readonly container: string;
  readonly instance: Instance;
  /** What asks its first process to end: a name or a number. */
  readonly stopSignal: string;
  /** What can be changed of a container that is there: the same text while nobody has. */
  readonly limits: string;
}

/** Undefined for what is not ours. `starved`: the engine told before that something in it was ended for its memory. */
export function toSeen(found: InspectedContainer, starved: boolean): Seen | undefined {
  const own = fromEngineLabels(found.Config.Labels);
  if (own === undefined) return undefined;
  const running = isRunning(found.State.Status);
  const pid = found.State.Pid ?? 0;
  const instance: Instance = {
    ...own,
    state: running ? "running" : "exited",
    address: { host: "127.0.0.1", port: running ? publishedPort(found) : 0 },
    startedMs: timeOf(found.State.StartedAt) ?? timeOf(found.Created) ?? 0,
    ...(running && pid > 0 ? { pid } : {}),
    ...(running ? {} : { exit: exitOf(found, starved) }),
  };
  const { StopSignal = "" } = found.Config;
  const stopSignal = StopSignal === "" || StopSignal === null ? "SIGTERM" : String(StopSignal);
  return { container: found.Id, instance, stopSignal, limits: limitsOf(found) };
}

function limitsOf({ HostConfig }: InspectedContainer): string {
  const { NanoCpus, CpuQuota, CpuShares, Memory, PidsLimit, RestartPolicy } = HostConfig ?? {};
  // An engine may say nothing, or zero, or less, for no limit.
  const numbers = [NanoCpus, CpuQuota, CpuShares, Memory, PidsLimit].map((limit) => Math.max(0, limit ?? 0));
  return [...numbers, RestartPolicy?.Name || "no"].join(" ");
}

/**
 * In an engine's words. One that is paused or about to stop still runs; one that was made and never started, by a hub that
 * was killed in between, has ended without anybody seeing how.
 */
export function isRunning(status: string): boolean {
  return ["running", "paused", "restarting", "stopping"].includes(status);
}

function exitOf(found: InspectedContainer, starved: boolean): Exit {
  const { Status, ExitCode, OOMKilled, FinishedAt } = found.State;
  const atMs = timeOf(FinishedAt) ?? timeOf(found.Created) ?? 0;
  if (["created", "initialized", "configured"].includes(Status)) return { atMs };
  if (OOMKilled === true || (starved && ExitCode === 128 + constants.signals.SIGKILL))
    return { signal: "SIGKILL", reason: "memory", atMs };
  const code = ExitCode ?? undefined;
  const signal = Object.entries(constants.signals).find(([, number]) => number === (code ?? 0) - 128)?.[0];
  if (signal !== undefined) return { signal, atMs };
  return code === undefined || code < 0 ? { atMs } : { code, atMs };
}

/** The port of loopback at which the one inside is reached; 0 when there is none. */
function publishedPort(found: InspectedContainer): number {
  const inside = found.Config.Labels[portLabel];
  const places = found.NetworkSettings?.Ports?.[`${inside}/tcp`] ?? [];
  const own = places.find(({ HostIp }) => HostIp === "127.0.0.1");
  return Number(own?.HostPort ?? 0);
}

/** Engines write the year 1 for never. */
function timeOf(text: string | null | undefined): number | undefined {
  const ms = Date.parse(text ?? "");
  return ms > 0 ? ms : undefined;
}
