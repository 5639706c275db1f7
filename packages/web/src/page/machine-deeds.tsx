import { api } from "@fed/fed/wire/api.ts";
import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { useMutation } from "@tanstack/react-query";
import { Eye, Wrench } from "lucide-react";
import { useState } from "react";
import { client, queries, useBarrier } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { plainText } from "../view/format.ts";
import { lookOfMachine } from "../view/state.ts";
import { toast } from "../view/toast-store.ts";
import { MaintenanceDialog } from "./machine-maintenance.tsx";
import { refreshMachine } from "./machine-query.ts";

/** What can be done to a machine from its page. */
export function MachineDeeds({ machine }: { readonly machine: WireMachine }) {
  const { name, maintenance } = machine;
  const barrier = useBarrier("operator");
  const [asking, setAsking] = useState(false);
  const look = useMutation({
    mutationFn: () => client.call(api.lookAtMachine, { name }),
    async onSuccess(seen) {
      await refreshMachine(queries, name);
      toast({
        tone: lookOfMachine(seen.state).tone,
        title: `${name} is ${lookOfMachine(seen.state).word}`,
        detail: plainText(seen.detail) || undefined,
      });
    },
    onError: (thrown) => toast({ tone: "bad", title: `Could not look at ${name}`, detail: thrown.message }),
  });
  const end = useMutation({
    mutationFn: () => client.call(api.maintainMachine, { name, on: false }),
    onSuccess: () => refreshMachine(queries, name),
    onError: (thrown) =>
      toast({ tone: "bad", title: `Could not end the maintenance of ${name}`, detail: thrown.message }),
  });
  return (
    <>
      <Button icon={Eye} busy={look.isPending} reason={barrier} onClick={() => look.mutate()}>
        Look now
      </Button>
      {maintenance ? (
        <Button icon={Wrench} busy={end.isPending} reason={barrier} onClick={() => end.mutate()}>
          End maintenance
        </Button>
      ) : (
        <Button icon={Wrench} reason={barrier} onClick={() => setAsking(true)}>
          Maintenance
        </Button>
      )}
      {asking && <MaintenanceDialog name={name} onClose={() => setAsking(false)} />}
    </>
  );
}
