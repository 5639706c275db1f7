import { randomBytes } from "node:crypto";
import type { MachineState } from "#wire/machine.ts";
import { openAgents } from "./agent/verbs.ts";
import { type Exporters, openExporters } from "./exporter/verbs.ts";
import type { Ground } from "./ground.ts";
import type { House } from "./house.ts";
import type { HubOptions } from "./hub-options.ts";
import { type LiveFleet, openLiveFleet } from "./machine/fleet.ts";
import { isAt } from "./machine/member.ts";
import type { Metrics } from "./metric/verbs.ts";
import type { Outside } from "./outside.ts";

/** What watches the machines of the lab: the hub that asks them, they that report by themselves, and the exporters on them. */
export function openWatching(
  options: HubOptions,
  ground: Ground,
  outside: Pick<Outside, "kit" | "collector" | "openExporterDoor">,
  house: House,
  metrics: Metrics,
  opened: AsyncDisposableStack,
) {
  const live = openLive(options, outside, house, metrics, opened);
  const agents = openPush(options, ground, outside, house, live, opened);
  const exporters = openScraping(options, outside, house, metrics, live, opened);
  return { live, agents, exporters };
}

/** Who keeps asking the machines. */
function openLive(
  { clock, trace }: HubOptions,
  { collector }: Pick<Outside, "collector">,
  { machines, openShell }: House,
  metrics: Metrics,
  opened: AsyncDisposableStack,
): LiveFleet {
  const live = openLiveFleet({
    ...{ machines, clock, trace, collector },
    keep: (batch, machine, age) => metrics[age === "old" ? "backfill" : "append"](batch, `machine:${machine}`),
    openShell: (name) => openShell(name).shell,
    makeMark: () => randomBytes(12).toString("hex"),
  });
  return opened.adopt(live, (open) => open.close());
}

/** The machines that report by themselves. */
function openPush(
  { clock, trace }: HubOptions,
  { db, events }: Ground,
  { kit, collector }: Pick<Outside, "kit" | "collector">,
  { machines }: House,
  live: LiveFleet,
  opened: AsyncDisposableStack,
) {
  const agents = openAgents({
    ...{ db, events, clock, trace, kit, collector, machines, intake: live.intake },
    paceMs: live.paceMs,
    onPace: (listener) => live.onWatch(listener),
  });
  return opened.adopt(agents, (open) => open.close());
}

/** The exporters of the lab. */
function openScraping(
  { clock, trace }: HubOptions,
  outside: Pick<Outside, "openExporterDoor">,
  { machines, vault }: House,
  metrics: Metrics,
  live: LiveFleet,
  opened: AsyncDisposableStack,
): Exporters {
  const door = opened.adopt(outside.openExporterDoor(), (open) => open.close());
  const exporters = openExporters({
    ...{ door, clock, trace },
    readSecret: vault.values.read,
    append: (batch, machine) => metrics.append(batch, `machine:${machine}`),
    note: metrics.note,
    report(target) {
      metrics.targets.report(target);
      const document = target.machine === undefined ? undefined : machines.fleet.get(target.machine)?.document;
      if (document && target.error === "" && isAt(document, target.url)) {
        live.heardElsewhere(target.machine ?? "", target.everyMs);
      }
    },
    forget: metrics.targets.forget,
    problem(machine, collector, reason) {
      machines.report(machine, {
        asked: [collector],
        failures: reason === undefined ? [] : [{ section: collector, reason }],
      });
    },
    isThere: (machine) => machines.names().includes(machine) && isThere(machines.get(machine).state),
  });
  return opened.adopt(exporters, (open) => open.close());
}

const isThere = (state: MachineState) => state === "online" || state === "degraded";
