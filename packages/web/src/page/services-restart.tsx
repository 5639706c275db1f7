import { api } from "@fed/fed/wire/api.ts";
import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { RotateCw } from "lucide-react";
import { useEffect, useState } from "react";
import { client, useBarrier } from "../hub.ts";
import { Button } from "../view/button.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { toast } from "../view/toast-store.ts";
import { restartProgress } from "./services-list.ts";

/** Asks, restarts, and follows by the live state until new instances have taken over. */
export function RestartButton({ service }: { readonly service: ServiceStatus }) {
  const { environment, service: name, replicas, state, instances } = service;
  const key = `${environment}/${name}`;
  const barrier = useBarrier("operator");
  const [asking, setAsking] = useState(false);
  /** The instances there were when the restart was asked for; undefined when none goes on. */
  const [before, setBefore] = useState<readonly string[]>();
  const progress = before && restartProgress(before, service);
  const kind = progress?.kind;

  useEffect(() => {
    if (kind === undefined || kind === "going") return;
    setBefore(undefined);
    if (kind === "done")
      toast({ tone: "good", title: `${key} was restarted`, detail: "New instances have taken over." });
    else toast({ tone: "bad", title: `${key} did not come up again`, detail: "The note on its page says why." });
  }, [kind, key]);

  const restart = async () => {
    const running = instances.filter((one) => one.state === "running").map(({ id }) => id);
    await client.call(api.restart, { environment, service: name });
    setBefore(running);
    toast({ tone: "info", title: `${key} is being restarted` });
  };
  const reason = barrier ?? (state === "unsupported" ? "This version of fed does not run it." : undefined);
  return (
    <>
      <Button icon={RotateCw} reason={reason} busy={kind === "going"} onClick={() => setAsking(true)}>
        {progress?.kind === "going" ? `Restarting ${progress.replaced}/${replicas.wanted}` : "Restart"}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Restart ${key}?`}
        action="Restart"
        onConfirm={restart}
      >
        <p>
          New instances of the same version are started. Where old and new can run side by side, the old ones serve
          until the new ones are healthy; else there is a short pause.
        </p>
      </ConfirmDialog>
    </>
  );
}
