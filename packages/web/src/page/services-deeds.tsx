import { api } from "@fed/fed/wire/api.ts";
import type { WireRollout } from "@fed/fed/wire/release.ts";
import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { useMutation } from "@tanstack/react-query";
import { ArrowUpFromLine, Ellipsis, History, Play, RotateCw, Scaling, Square } from "lucide-react";
import { useState } from "react";
import { client, queries, statusQuery } from "../hub.ts";
import { useObstacle } from "../live.ts";
import { Button, IconButton } from "../view/button.tsx";
import { ConfirmDialog } from "../view/dialog.tsx";
import { Menu, MenuItem } from "../view/menu.tsx";
import { toast } from "../view/toast-store.ts";
import { useBegun } from "./services-begun.ts";
import { blockOf, promotionOf, type ReleaseList, rollbackChoices } from "./services-release.ts";
import { RollbackDialog } from "./services-rollback.tsx";
import { ScaleDialog } from "./services-scale.tsx";

/** A deed that is asked about before it is done. */
type Deed = "deploy" | "promote" | "rollback" | "restart" | "stop" | "scale";

interface ServiceDeedsProps {
  readonly service: ServiceStatus;
  readonly list: ReleaseList | undefined;
  /** The environment that this one takes its images from, and what it has. */
  readonly source: { readonly environment: string; readonly list: ReleaseList | undefined } | undefined;
}

/** What can be done to a service in one environment. */
export function ServiceDeeds({ service, list, source }: ServiceDeedsProps) {
  const { environment, stopped = false } = service;
  const [asking, setAsking] = useState<Deed>();
  const start = useStart(service);
  const reason = useReason(service);
  const block = reason ?? blockOf(list);
  const promotion = source && promotionOf(source.environment, source.list, list);
  const nowhere = list !== undefined && rollbackChoices(list).length === 0;
  return (
    <div className="flex flex-wrap items-center gap-2">
      {source ? (
        <Button
          icon={ArrowUpFromLine}
          reason={block ?? (promotion?.kind === "no" ? promotion.why : undefined)}
          onClick={() => setAsking("promote")}
        >
          Promote from {source.environment}
        </Button>
      ) : (
        <Button icon={ArrowUpFromLine} reason={block} onClick={() => setAsking("deploy")}>
          Deploy
        </Button>
      )}
      <Button
        icon={History}
        reason={block ?? (nowhere ? "No earlier release has served." : undefined)}
        onClick={() => setAsking("rollback")}
      >
        Roll back
      </Button>
      {stopped && (
        <Button icon={Play} reason={reason} busy={start.isPending} onClick={() => start.mutate()}>
          Start
        </Button>
      )}
      {reason === undefined ? (
        <Menu trigger={<IconButton kind="plain" label={`More for ${environment}`} icon={Ellipsis} />}>
          <MenuItem icon={RotateCw} disabled={block !== undefined || stopped} onSelect={() => setAsking("restart")}>
            Restart
          </MenuItem>
          <MenuItem icon={Scaling} disabled={stopped} onSelect={() => setAsking("scale")}>
            Scale
          </MenuItem>
          <MenuItem icon={Square} danger disabled={stopped} onSelect={() => setAsking("stop")}>
            Stop
          </MenuItem>
        </Menu>
      ) : (
        <IconButton kind="plain" label={`More for ${environment}`} icon={Ellipsis} reason={reason} />
      )}
      <Asked deed={asking} onClose={() => setAsking(undefined)} {...{ service, list }} from={source?.environment} />
    </div>
  );
}

/** Why nothing can be done to it at all. */
function useReason({ state }: ServiceStatus): string | undefined {
  const obstacle = useObstacle("operator");
  return obstacle ?? (state === "unsupported" ? "This version of fed does not run it." : undefined);
}

function useStart({ environment, service }: ServiceStatus) {
  return useMutation({
    mutationFn: () => client.call(api.startService, { environment, service }),
    onSuccess: () => queries.invalidateQueries({ queryKey: statusQuery.queryKey }),
    onError: (thrown) =>
      toast({ tone: "bad", title: `Could not start ${environment}/${service}`, detail: thrown.message }),
  });
}

interface AskedProps {
  readonly deed: Deed | undefined;
  readonly service: ServiceStatus;
  readonly list: ReleaseList | undefined;
  readonly from: string | undefined;
  onClose(): void;
}

function Asked({ deed, service, list, from, onClose }: AskedProps) {
  const begun = useBegun();
  const { environment, service: name } = service;
  const place = { environment, service: name };
  const key = `${environment}/${name}`;
  if (deed === "scale") return <ScaleDialog service={service} onClose={onClose} />;
  if (deed === "rollback" && list) return <RollbackDialog place={place} list={list} onClose={onClose} />;
  const roll = async (work: Promise<{ readonly rollout: WireRollout }>) => begun((await work).rollout);
  const ask = (own: Deed, title: string, action: string, work: () => Promise<unknown>, danger = false) => ({
    ...{ open: deed === own, onOpenChange: onClose, title, action, danger, onConfirm: work },
  });
  return (
    <>
      <ConfirmDialog {...ask("deploy", `Deploy ${key}?`, "Deploy", () => roll(client.call(api.deploy, place)))}>
        <p>
          What it is made of is built or fetched anew. What serves goes on until the new version is healthy, and stays
          if that fails.
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        {...ask("promote", `Promote ${name} from ${from ?? ""} to ${environment}?`, "Promote", () =>
          roll(client.call(api.promote, place)),
        )}
      >
        <p>
          {environment} gets exactly the image that serves in {from}, with its own values. What serves goes on until the
          new version is healthy, and stays if that fails.
        </p>
      </ConfirmDialog>
      <ConfirmDialog {...ask("restart", `Restart ${key}?`, "Restart", () => client.call(api.restart, place))}>
        <p>
          New instances of the same version are started. Where old and new can run side by side, the old ones serve
          until the new ones are healthy; else there is a short pause.
        </p>
      </ConfirmDialog>
      <ConfirmDialog {...ask("stop", `Stop ${key}?`, "Stop", () => client.call(api.stopService, place), true)}>
        <p>
          Its instances end and its address answers nobody, until somebody starts it again. Its data and its releases
          stay.
        </p>
      </ConfirmDialog>
    </>
  );
}
