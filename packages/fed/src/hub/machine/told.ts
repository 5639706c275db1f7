import type { Reading } from "#port/collector.ts";
import type { WireMachineDetail, WireTally } from "#wire/machine.ts";

/** What a machine said last of each kind; what it has not said yet is left out. */
export type Told = Pick<Reading, "units" | "containers" | "processes" | "updates" | "storage">;

/** What is known after another reading: a part that it left out is as it was. */
export function toldAfter(before: Told, { units, containers, processes, updates, storage }: Told): Told {
  const nothing = [units, containers, processes, updates, storage].every((part) => part === undefined);
  if (nothing) return before;
  return {
    ...before,
    ...(units === undefined ? {} : { units }),
    ...(containers === undefined ? {} : { containers }),
    ...(processes === undefined ? {} : { processes }),
    ...(updates === undefined ? {} : { updates }),
    ...(storage === undefined ? {} : { storage }),
  };
}

/** What stands on its card. */
export function tallyOf({ units, containers, updates, storage }: Told): WireTally {
  return {
    ...(updates && {
      updates: {
        pending: updates.list.length,
        security: count(updates.list, ({ security }) => security),
        restart: updates.restart,
      },
    }),
    ...(units && { units: { failed: count(units, ({ active }) => active === "failed"), total: units.length } }),
    ...(containers && {
      containers: {
        troubled: count(containers, isTroubled),
        running: count(containers, ({ state }) => state === "running"),
        total: containers.length,
      },
    }),
    ...(storage && {
      storage: {
        troubled: count(storage, ({ health }) => health === "warning" || health === "bad"),
        total: storage.length,
      },
    }),
  };
}

/** One that was ended on purpose is none: it exited well, or by the signal that asks it to end. */
function isTroubled({ state, health, exitCode }: NonNullable<Told["containers"]>[number]): boolean {
  if (health === "unhealthy" || state === "restarting" || state === "dead") return true;
  return state === "exited" && exitCode !== undefined && ![0, 130, 143].includes(exitCode);
}

/** Two tallies say the same. */
export function isSameTally(one: WireTally, other: WireTally): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** As the wire has it. Arguments of processes may be secret: only for who operates machines. */
export function detailOf(
  { units, containers, processes, updates, storage }: Told,
  mayOperate: boolean,
): Partial<WireMachineDetail> {
  return {
    ...(units && { units: [...units] }),
    ...(containers && { containers: [...containers] }),
    ...(processes && {
      processes: processes.map(({ command, ...rest }) => ({
        ...rest,
        ...(mayOperate && command !== undefined ? { command } : {}),
      })),
    }),
    ...(updates && { updates: [...updates.list] }),
    ...(storage && { storage: [...storage] }),
  };
}

function count<T>(all: readonly T[], test: (one: T) => boolean): number {
  return all.reduce((sum, one) => sum + (test(one) ? 1 : 0), 0);
}
