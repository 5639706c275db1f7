import type { HandlersOf } from "#wire/handler.ts";
import type { WireMachineDetail } from "#wire/machine.ts";
import type { Trust } from "./verbs.ts";

export function trustHandlers(needs: {
  readonly trust: Trust;
  /** Fault `missing` for a machine that is not in the fleet. */
  machine(name: string): WireMachineDetail;
  /** Connects to it anew, now that it may. */
  lookAgain(name: string): void;
}): HandlersOf<"trustMachine"> {
  return {
    trustMachine({ name, fingerprint }, { actor, correlation }) {
      needs.machine(name);
      needs.trust.accept({ actor, correlation }, name, fingerprint);
      needs.lookAgain(name);
      return needs.machine(name);
    },
  };
}
