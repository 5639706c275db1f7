import type { HandlersOf } from "#wire/handler.ts";
import type { LookNow } from "./loop.ts";
import type { Machines } from "./verbs.ts";

export function machineHandlers(needs: {
  readonly machines: Machines;
  readonly lookNow: LookNow;
}): HandlersOf<"machines" | "machine" | "lookAtMachine"> {
  const { machines, lookNow } = needs;
  return {
    machines: () => ({ machines: [...machines.list()] }),
    machine: ({ name }) => machines.get(name),
    async lookAtMachine({ name }, { signal }) {
      await lookNow(name, signal);
      return machines.get(name);
    },
  };
}
