import type { Clock } from "#base/clock.ts";
import type { Reader } from "#disk/sqlite.ts";
import type { ServicePart } from "#hub/service/wanted.ts";
import { failRollout } from "./deed.ts";
import type { Ledger } from "./ledger.ts";
import type { Rollout } from "./release.ts";
import { selectOpen } from "./store.ts";

/** All of it: what it needs to be healthy, its own health, the draining of what was before. */
export const rollDeadlineMs = 60 * 60_000;
/** A machine that was lost may be back in a moment. */
export const awayMs = 2 * 60_000;

export interface OverdueNeeds {
  readonly db: Reader;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly unseenOn: ServicePart["unseenOn"];
}

/** Ends rollouts that nobody reports the end of: their machine is away, or what they wait for never comes. */
export function makeOverdue({ db, clock, ledger, unseenOn }: OverdueNeeds): { end(): void } {
  /** Since when what is rolling is seen by this hub, and since when its machine is not, by the steady clock. */
  const since = new Map<string, { readonly seen: number; readonly away: number | undefined }>();

  function reasonFor({ id, request }: Rollout): string | undefined {
    const now = clock.tickMs();
    const known = since.get(id);
    const { machine } = request.resolved;
    const why = request.resolved.container === undefined ? undefined : unseenOn(machine);
    const away = why === undefined ? undefined : (known?.away ?? now);
    const seen = known?.seen ?? now;
    since.set(id, { seen, away });
    if (away !== undefined && now - away >= awayMs) return `${machine} cannot be asked: ${why}`;
    if (now - seen < rollDeadlineMs) return undefined;
    return `it has not come to serve within ${rollDeadlineMs / 60_000} min`;
  }

  return {
    end() {
      const rolling = selectOpen(db).filter(({ state }) => state === "rolling");
      const ids = new Set(rolling.map(({ id }) => id));
      for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
      for (const rollout of rolling) {
        const reason = reasonFor(rollout);
        if (reason === undefined) continue;
        ledger.settle(rollout, "hub", (deed, open) => failRollout(deed, open, { reason, output: "", final: true }));
      }
    },
  };
}
