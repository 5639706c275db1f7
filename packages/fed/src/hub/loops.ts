import { certificateLoop } from "./certificate/loop.ts";
import { checkLoop } from "./db/loop.ts";
import { trimLoop } from "./event/loop.ts";
import type { Ground } from "./ground.ts";
import type { House } from "./house.ts";
import type { HubOptions } from "./hub-options.ts";
import { logSweepLoop } from "./log/loop.ts";
import { maintenanceLoop } from "./machine/loop.ts";
import { maintainLoop, ownMetricsLoop } from "./metric/loop.ts";
import type { Metrics } from "./metric/verbs.ts";
import { roomLoop } from "./room.ts";
import type { Scheduler } from "./scheduler.ts";
import { securedNames } from "./secured.ts";
import { sweepLoop } from "./user/loop.ts";

/** What turns by itself while the hub is up. `instance`: the hub's own address, for its metrics. */
export function addLoops(
  scheduler: Scheduler,
  { clock }: HubOptions,
  { db, events, users, meter, writing, hubOrigin }: Ground,
  { machines, room, logs, changes, certificates, control, desk }: House,
  metrics: Metrics,
  instance: string,
): void {
  const loops = [
    ...[maintenanceLoop(machines), sweepLoop(users), trimLoop(events, hubOrigin), roomLoop(room)],
    ...[logSweepLoop(logs), maintainLoop(metrics)],
    ownMetricsLoop({ metrics, clock, instance, render: () => meter.render() }),
    certificateLoop({
      certificates,
      names: () => securedNames(desk.lab.document, control.services()),
      async onChange(signal) {
        await control.world.announceRoutes(signal);
        await control.world.tendRoutes(signal);
        changes.send();
      },
    }),
    checkLoop(
      db.path,
      () => clock.nowMs(),
      (fault) => {
        writing.stop(fault, clock.nowMs());
        changes.send();
      },
    ),
  ];
  for (const loop of loops) scheduler.add(loop);
}
