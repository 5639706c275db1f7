import type { CallContext, HandlersOf } from "#wire/handler.ts";
import type { releaseApi, WireRollout, WireRolloutItem } from "#wire/release.ts";
import { isOpen, type Rollout } from "./release.ts";
import type { Place } from "./store.ts";
import type { Releases } from "./verbs.ts";
import { changesBetween, fieldsShown, type Marks, wireDetail, wireRelease, wireRollout } from "./view.ts";

const shownRollouts = 20;

/** The handlers of releases. */
export function releaseHandlers({ releases }: { readonly releases: Releases }): HandlersOf<keyof typeof releaseApi> {
  const wire = (rollout: Rollout): WireRollout => wireRollout(rollout, releases.tracks.of(rollout.id), releases.byId);
  const marksOf = (place: Place): Marks => ({ wanted: wantedAt(releases, place), good: releases.good(place) });
  const by = ({ actor, correlation }: CallContext) => ({ actor, correlation });
  return {
    deploy: (place, context) => ({ rollout: wire(releases.deploy(place, by(context))) }),
    rollback: ({ to, ...place }, context) => ({ rollout: wire(releases.rollback(place, to, by(context))) }),
    promote: ({ from, ...place }, context) => ({ rollout: wire(releases.promote(place, from, by(context))) }),
    cancelRollout: (place, context) => ({ rollout: wire(releases.cancel(place, by(context))) }),
    releases(place) {
      const marks = marksOf(place);
      return {
        releases: releases.releases(place).map((one) => wireRelease(one, marks)),
        rollouts: releases.rollouts(place, shownRollouts).map(wire),
      };
    },
    release: ({ number, ...place }) => wireDetail(releases.release(place, number), marksOf(place)),
    releaseDiff({ number, from, ...place }) {
      const [older, newer] = [releases.release(place, from), releases.release(place, number)];
      const marks = marksOf(place);
      return {
        from: wireRelease(older, marks),
        to: wireRelease(newer, marks),
        changes: changesBetween(fieldsShown(older), fieldsShown(newer)),
      };
    },
    rollouts({ open, limit }) {
      const found = open ? releases.open().toReversed().slice(0, limit) : releases.rollouts(undefined, limit);
      return { rollouts: found.map(wire) };
    },
    rollout: ({ id }) => wire(releases.rollout(id)),
    followRollout({ id }, { signal }) {
      // Now, not with the first line: then it is an answer like any other.
      releases.rollout(id);
      return follow(releases, id, wire, signal);
    },
  };
}

function wantedAt({ wanted }: Releases, { environment, service }: Place): string | undefined {
  return wanted.services.find(({ key }) => key === `${environment}/${service}`)?.release?.id;
}

/** How a rollout stands, with the lines so far, then what comes, until it has ended. */
async function* follow(
  releases: Releases,
  id: string,
  wire: (rollout: Rollout) => WireRollout,
  signal: AbortSignal,
): AsyncIterable<WireRolloutItem> {
  const stop = new AbortController();
  // Read from before it is shown, so that nothing is missed.
  const coming = releases.tracks.read(id, AbortSignal.any([signal, stop.signal]));
  const lines = [...releases.tracks.of(id).lines];
  const first = releases.rollout(id);
  try {
    yield { kind: "rollout", rollout: wire(first) };
    for (const text of lines) yield { kind: "line", text };
    if (!isOpen(first)) return;
    for await (const item of coming) {
      if (item.kind === "line") yield { kind: "line", text: item.text };
      else {
        const rollout = releases.rollout(id);
        yield { kind: "rollout", rollout: wire(rollout) };
        if (!isOpen(rollout)) return;
      }
    }
  } finally {
    stop.abort();
  }
}
