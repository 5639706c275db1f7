import type { Database, Reader } from "#disk/sqlite.ts";
import type { Values } from "#hub/secret/verbs.ts";
import type { ServicePart } from "#hub/service/wanted.ts";
import { clearImages } from "./clear.ts";
import { keyOfPlace } from "./lab.ts";
import type { Ledger } from "./ledger.ts";
import { prunable, type Release } from "./release.ts";
import {
  deleteRelease,
  findOpen,
  findWanted,
  isAny,
  type Place,
  selectAllReleases,
  selectGood,
  selectOpen,
  selectPlaces,
  selectReleases,
  selectRestarted,
} from "./store.ts";

export interface SweepNeeds {
  readonly db: Database;
  readonly ledger: Ledger;
  readonly service: Pick<ServicePart, "imagesOf" | "runningReleases">;
  readonly secrets: Pick<Values, "forget">;
}

export interface Sweep {
  /** Some release of this service may be too old. */
  mark(place: Place): void;
  markAll(): void;
  /** Removes what nobody goes back to any more: releases, their images, versions of secrets. */
  run(signal: AbortSignal): Promise<void>;
}

export function makeSweep({ db, ledger, service, secrets }: SweepNeeds): Sweep {
  const unswept = new Map<string, Place>();
  const mark = (place: Place) => void unswept.set(keyOfPlace(place), place);
  const find = (place: Place) => findPrunable(db, place, service.runningReleases());

  function prune({ id, environment, service: name, number }: Release): void {
    ledger.note({ actor: "hub", correlation: `prune ${id}` }, ({ tx, emit }) => {
      deleteRelease(tx, id);
      emit(`service:${environment}/${name}`, { type: "release.pruned", number });
    });
    ledger.forget(id);
  }

  return {
    mark,
    markAll: () => selectPlaces(db).forEach(mark),
    async run(signal) {
      // What is being made just now may turn out to be an image that would go; its end asks again.
      if (isAny(db, "preparing")) return;
      const places = [...unswept.values()];
      unswept.clear();
      for (const place of places) find(place).forEach(prune);
      const needed = secretsIn([...selectAllReleases(db), ...selectOpen(db).map(({ request }) => request)]);
      db.tx((tx) => secrets.forget(tx, (name, version) => needed.has(`${name} ${version}`)));
      await clearImages(db, service.imagesOf, signal);
    },
  };
}

/** The releases of a service that nobody goes back to any more. */
function findPrunable(db: Reader, place: Place, running: ReadonlySet<string>): readonly Release[] {
  const open = findOpen(db, place);
  const used = [findWanted(db, place)?.release, open?.release, open?.request.before, open?.request.release];
  const inUse = new Set([...running, ...used.filter((id) => id !== undefined)]);
  const uses = { good: selectGood(db, place), restarts: selectRestarted(db, place), inUse };
  return prunable(selectReleases(db, place), uses);
}

/** Versions of secrets that these need, as `name version`. */
function secretsIn(of: readonly Pick<Release, "resolved">[]): ReadonlySet<string> {
  const needed = of.flatMap(({ resolved }) => Object.values(resolved.variables));
  return new Set(needed.flatMap((source) => (source.kind === "text" ? [] : [`${source.name} ${source.version ?? 0}`])));
}
