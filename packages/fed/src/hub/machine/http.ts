import { accessOf, type CallContext, type HandlersOf } from "#wire/handler.ts";
import { mayDo } from "#wire/role.ts";
import type { LiveFleet } from "./fleet.ts";
import type { Machines } from "./verbs.ts";

export interface MachineHandlersNeeds {
  readonly machines: Machines;
  readonly live: Pick<LiveFleet, "lookNow" | "ticks">;
}

type Names = "machines" | "machine" | "lookAtMachine" | "watchMachines" | "addMachine" | "maintainMachine";

export function machineHandlers({ machines, live }: MachineHandlersNeeds): HandlersOf<Names> {
  const detail = (name: string, { caller }: CallContext) => machines.detail(name, mayDo(accessOf(caller), "operator"));
  const originOf = ({ actor, correlation }: CallContext) => ({ actor, correlation });
  return {
    machines: () => ({ machines: [...machines.list()] }),
    machine: ({ name }, context) => detail(name, context),
    async lookAtMachine({ name }, context) {
      machines.get(name);
      await live.lookNow(name, context.signal);
      return machines.get(name);
    },
    watchMachines({ machine }, { signal }) {
      if (machine !== undefined) machines.get(machine);
      return live.ticks(machine, signal);
    },
    addMachine({ name, kind, address, port, user }, context) {
      const more = { ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }) };
      return machines.add({ name, kind, address, ...more }, originOf(context));
    },
    maintainMachine: ({ name, on, reason, untilMs }, context) =>
      machines.maintain(name, { on, reason, untilMs }, originOf(context)),
  };
}
