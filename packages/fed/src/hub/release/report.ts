import { toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import type { Reader } from "#disk/sqlite.ts";
import type { ServiceNews } from "#hub/service/wanted.ts";
import { failRollout, finishRollout } from "./deed.ts";
import { keyOfPlace } from "./lab.ts";
import type { Ledger } from "./ledger.ts";
import { findRollout, selectOpen, selectUnproven } from "./store.ts";

/** A rollout that ends when its service says how it went. */
interface Awaited {
  readonly spec: string;
  readonly rollout: string;
  readonly correlation: string;
  /** None of its instances is to run: it ends without having served. */
  readonly idle: boolean;
}

export interface Reports extends Pick<ServiceNews, "serving" | "failed"> {
  /** Finds out anew who is waited for; to be called with each decision. */
  refresh(): void;
}

/** Hears what services report, which comes often and mostly says nothing new. */
export function makeReports({
  db,
  ledger,
  trace,
  redact,
}: {
  readonly db: Reader;
  readonly ledger: Ledger;
  readonly trace: Trace;
  redact(text: string): string;
}): Reports {
  let awaited: ReadonlyMap<string, Awaited> = new Map();
  const served = new Map<string, Awaited>();

  const careful = (work: () => void) => {
    try {
      work();
    } catch (thrown) {
      // It is reported again with the next look.
      trace.warn("how a rollout went could not be written down", { reason: toFault(thrown).message });
    }
  };

  /** Those that came to serve at once are written down together. */
  function flush(): void {
    // Not those that somebody has ended meanwhile.
    const all = [...served].flatMap(([key, one]) => (awaited.get(key)?.rollout === one.rollout ? [one] : []));
    served.clear();
    for (const [correlation, group] of Map.groupBy(all, (one) => one.correlation)) {
      careful(() =>
        ledger.decide({ actor: "hub", correlation }, (deed) => {
          for (const { rollout, idle } of group) {
            const found = findRollout(deed.tx, rollout);
            if (found) finishRollout(deed, found, idle ? "nothing of it is to run now" : "");
          }
        }),
      );
    }
  }

  return {
    refresh() {
      awaited = awaitedIn(db, ledger);
    },
    serving(key, spec) {
      const found = awaited.get(key);
      if (found?.spec !== spec || served.has(key)) return;
      if (served.size === 0) queueMicrotask(flush);
      served.set(key, found);
    },
    failed(key, spec, failure) {
      const found = awaited.get(key);
      if (found?.spec !== spec) return;
      careful(() =>
        ledger.decide({ actor: "hub", correlation: found.correlation }, (deed) => {
          const open = findRollout(deed.tx, found.rollout);
          if (open?.state !== "rolling") return;
          const { reason, output, final } = failure;
          failRollout(deed, open, { reason: redact(reason), output: redact(output), final });
        }),
      );
    },
  };
}

function awaitedIn(db: Reader, ledger: Ledger): ReadonlyMap<string, Awaited> {
  const found = new Map<string, Awaited>();
  const idle = new Set(ledger.wanted.services.filter(({ replicas }) => replicas === 0).map(({ key }) => key));
  const rolling = selectOpen(db).filter(({ state }) => state === "rolling");
  for (const { release: id, ...rollout } of [...selectUnproven(db), ...rolling]) {
    const release = id === undefined ? undefined : ledger.releaseOf(id);
    if (release === undefined) continue;
    const { id: of, state, correlation } = rollout;
    const key = keyOfPlace(rollout);
    // What has ended already has to serve to be told of again.
    if (state !== "rolling" && idle.has(key)) continue;
    found.set(key, { spec: release.spec, rollout: of, correlation, idle: idle.has(key) });
  }
  return found;
}
