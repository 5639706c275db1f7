import type { Ground } from "./ground.ts";
import type { HubOptions } from "./hub-options.ts";
import { eventOfTurn, type Forwarding, openForwarding } from "./metric/forward-verbs.ts";
import type { Metrics } from "./metric/verbs.ts";
import { openScheduler } from "./scheduler.ts";
import type { Vault } from "./secret/verbs.ts";

/** Who is sent what the hub measures. */
export function openTargets(
  { clock, trace, version }: HubOptions,
  ground: Ground,
  { values }: Vault,
  metrics: Metrics,
  opened: AsyncDisposableStack,
): Forwarding {
  const forwarding = openForwarding({
    ...{ clock, trace, version, meter: ground.meter },
    outbox: () => metrics.outbox(),
    readSecret: values.read,
    turned(target, turn) {
      ground.events.note(ground.hubOrigin(), `remoteWrite:${target}`, eventOfTurn(turn));
    },
  });
  return opened.adopt(forwarding, (open) => open.close());
}

/** What turns by itself: who does not go well is told of. */
export function openLoops({ clock, trace }: HubOptions, { events, meter, hubOrigin }: Ground) {
  return openScheduler({
    ...{ clock, trace, meter },
    onTurn(loop, { kind, reason }) {
      events.note(
        hubOrigin(),
        "hub",
        kind === "ok" ? { type: "loop.recovered", loop } : { type: "loop.failed", loop, reason },
      );
    },
  });
}
