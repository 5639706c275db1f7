import type { HandlersOf } from "#wire/handler.ts";
import { type LookAt, lookNow } from "./loop.ts";
import type { Machines } from "./verbs.ts";

export function machineHandlers(needs: {
  readonly machines: Machines;
  readonly lookAt: LookAt;
}): HandlersOf<"machines" | "machine" | "lookAtMachine"> {
  const { machines, lookAt } = needs;
  return {
    machines: () => ({ machines: [...machines.list()] }),
    machine: ({ name }) => machines.get(name),
    async lookAtMachine({ name }, { signal }) {
      await lookNow(machines, name, lookAt, signal);
      return machines.get(name);
    },
  };
}
