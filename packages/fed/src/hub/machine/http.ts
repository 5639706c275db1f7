import type { HandlersOf } from "#wire/handler.ts";
import type { LookAt, Machines } from "./verbs.ts";

export function machineHandlers(needs: {
  readonly machines: Machines;
  readonly lookAt: LookAt;
}): HandlersOf<"machines" | "machine" | "lookAtMachine"> {
  const { machines, lookAt } = needs;
  return {
    machines: () => ({ machines: [...machines.list()] }),
    machine: ({ name }) => machines.get(name),
    async lookAtMachine({ name }, { signal }) {
      await machines.look(name, lookAt, signal);
      return machines.get(name);
    },
  };
}
