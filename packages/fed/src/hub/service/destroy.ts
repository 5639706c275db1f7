import { rm } from "node:fs/promises";
import { untilAborted } from "#base/abort.ts";
import type { Clock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import type { EventLog, Origin } from "#hub/event/verbs.ts";
import { type DataNeeds, findData, folderOf, type KeptData } from "./data.ts";
import { keyOf } from "./service.ts";
import type { Sites } from "./sites.ts";
import type { ByHand, WantedService } from "./wanted.ts";
import { instanceKey, type World } from "./world.ts";

export interface DestroyNeeds extends DataNeeds {
  readonly world: Pick<World, "instances" | "isStarting">;
  readonly sites: Pick<Sites, "volumes" | "removeVolume">;
  readonly byHand: Pick<ByHand, "stop">;
  readonly events: EventLog;
  readonly clock: Clock;
}

export interface DestroyWish {
  readonly environment: string;
  readonly service: string;
  /** `none`: refused when there is some. `unused`: what the lab no longer has for it; the service itself goes on. */
  readonly data: "none" | "unused" | "all";
}

/** Beside the grace of its instances. */
const aroundMs = 60_000;
const lookMs = 100;

/**
 * Ends a service as `stop` does, waits until nothing of it runs, and removes what fed keeps for it; also of a service that the lab has no
 * more. Answers the names of what was removed. Faults: `missing` for what is neither in the lab nor has data, `conflict` when there is data
 * and the wish says nothing of it, `unreachable` when its machine cannot be asked: nothing was done then.
 */
export async function destroyService(
  needs: DestroyNeeds,
  services: readonly WantedService[],
  wish: DestroyWish,
  origin: Origin,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const key = keyOf(wish.environment, wish.service);
  const wanted = services.find((one) => one.key === key);
  const { data, unseen } = await findData(needs, services, signal);
  const away = wanted?.container && unseen.get(wanted.machine);
  if (away !== undefined) throw new Fault("unreachable", `${wanted?.machine} cannot be asked: ${away}`);
  const ours = data.filter((one) => keyOf(one.environment, one.service) === key);
  const leaving = wish.data === "unused" ? ours.filter(({ used }) => !used) : ours;
  if (wanted === undefined && ours.length === 0) {
    throw new Fault("missing", `the lab has no service ${key}, and nothing is kept for one`, {
      hint: "`fed status` shows what there is.",
    });
  }
  if (leaving.length > 0 && wish.data === "none") {
    throw new Fault("conflict", `${key} keeps data in ${leaving.map(({ name }) => name).join(", ")}`, {
      hint:
        wanted === undefined
          ? "Say --with-data as well to remove it for good."
          : "Say --with-data as well to remove it for good, or `fed stop` to end the service and keep it.",
    });
  }
  if (wish.data !== "unused" && wanted !== undefined) needs.byHand.stop(key, origin);
  // What the lab has no more may be ending still.
  if (wish.data !== "unused" || wanted === undefined) await untilGone(needs, key, wanted?.stopGraceMs ?? 0, signal);
  await removeAll(needs, key, leaving, origin, signal);
  return leaving.map(({ name }) => name);
}

const removal = { recursive: true, force: true, maxRetries: 3 } as const;

/** What could not be removed is no reason to keep silent about what was. */
async function removeAll(
  needs: DestroyNeeds,
  key: string,
  leaving: readonly KeptData[],
  origin: Origin,
  signal: AbortSignal,
): Promise<void> {
  const gone: string[] = [];
  try {
    for (const one of leaving) {
      if (one.machine !== undefined) await needs.sites.removeVolume(one.machine, one.name, signal);
      else await rm(folderOf(needs.dataFolder, one), removal);
      gone.push(one.name);
    }
  } finally {
    needs.events.deed(origin, (_tx, emit) => emit(`service:${key}`, { type: "service.destroyed", volumes: gone }));
  }
}

async function untilGone(
  { world, clock }: DestroyNeeds,
  key: string,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const endMs = clock.tickMs() + 2 * graceMs + aroundMs;
  while (world.isStarting(key) || world.instances.some((one) => instanceKey(one) === key)) {
    if (clock.tickMs() > endMs) {
      throw new Fault("timeout", `${key} still runs; its data was not touched`, {
        hint: "`fed status` says why. Try again once it has stopped.",
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(lookMs, resolve);
    await untilAborted(promise, signal).finally(() => timer.cancel());
  }
}
