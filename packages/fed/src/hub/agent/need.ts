import type { Clock } from "#base/clock.ts";
import type { Trace } from "#base/trace.ts";
import type { Database } from "#disk/sqlite.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { Intake } from "#hub/machine/intake.ts";
import type { Machines } from "#hub/machine/verbs.ts";
import type { AgentKit } from "#port/agent.ts";
import type { Collector } from "#port/collector.ts";

export interface AgentsNeeds {
  readonly db: Database;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly kit: AgentKit;
  readonly collector: Pick<Collector, "openTicks">;
  readonly machines: Pick<Machines, "prepareJoin" | "prepareRemoval" | "report" | "fleet">;
  readonly intake: Pick<Intake, "take" | "restart">;
  /** Between two ticks of a machine, as things are now: less while somebody watches it. */
  paceMs(machine: string): number;
  /** Hears when that may have changed. */
  onPace(listener: () => void): () => void;
}
