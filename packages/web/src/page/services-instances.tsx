import type { WireRelease } from "@fed/fed/wire/release.ts";
import type { InstanceStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { Link } from "@tanstack/react-router";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { instanceText } from "../view/event.ts";
import { lookOfInstance } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { orderInstances } from "./services-list.ts";
import { type ReleaseList, releaseOfSpec } from "./services-release.ts";

interface ServiceInstancesProps {
  readonly service: Pick<ServiceStatus, "instances" | "machine">;
  readonly list: ReleaseList | undefined;
}

/** Every running copy of a service, and those that ended lately. */
export function ServiceInstances({ service, list }: ServiceInstancesProps) {
  const { instances, machine } = service;
  return (
    <Card
      flush
      title="Instances"
      about={instances.length === 0 ? undefined : "Every running copy, and those that ended lately"}
    >
      {instances.length === 0 ? (
        <p className="p-4 text-soft">Nothing runs. An instance appears here as soon as it is started.</p>
      ) : (
        <Table label="Instances">
          <thead>
            <tr>
              <HeadCell>Instance</HeadCell>
              <HeadCell>State</HeadCell>
              <HeadCell className="max-sm:hidden">Release</HeadCell>
              <HeadCell className="max-md:hidden">Machine</HeadCell>
              <HeadCell className="text-right max-md:hidden">Replica</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Port</HeadCell>
              <HeadCell className="text-right max-lg:hidden">Process</HeadCell>
              <HeadCell>Started</HeadCell>
            </tr>
          </thead>
          <tbody>
            {orderInstances(instances).map((instance) => (
              <InstanceRow
                key={instance.id}
                instance={instance}
                machine={machine}
                release={releaseOfSpec(list, instance.spec)}
              />
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}

interface InstanceRowProps {
  readonly instance: InstanceStatus;
  /** Where the service belongs; a release that is kept knows better. */
  readonly machine: string;
  readonly release: WireRelease | undefined;
}

function InstanceRow({ instance, machine, release }: InstanceRowProps) {
  const { id, replica, port, pid, startedMs, exit, spec, state } = instance;
  const at = release?.machine ?? machine;
  return (
    <Row>
      <Cell className="font-mono text-small" title={id}>
        {instanceText(id)}
      </Cell>
      <Cell>
        <StateDot look={lookOfInstance(instance)} />
        {state === "exited" && (
          <p className="text-small text-soft [overflow-wrap:anywhere]">{exit ?? "how is not known"}</p>
        )}
        <p className="text-small text-soft sm:hidden">
          {release && `release ${release.number}, `}port {port}
          {pid !== undefined && `, process ${pid}`}
        </p>
      </Cell>
      <Cell className="whitespace-nowrap max-sm:hidden" title={`spec ${spec}`}>
        {release ? release.number : <span className="font-mono text-small text-soft">{spec.slice(0, 8)}</span>}
      </Cell>
      <Cell className="max-md:hidden">
        <Link to="/machines/$name" params={{ name: at }} className="text-accent hover:underline">
          {at}
        </Link>
      </Cell>
      <Cell className="text-right max-md:hidden">{replica}</Cell>
      <Cell className="text-right max-sm:hidden">{port}</Cell>
      <Cell className="text-right max-lg:hidden">{pid ?? <span className="text-faint">–</span>}</Cell>
      <Cell className="whitespace-nowrap">
        <Time atMs={startedMs} />
      </Cell>
    </Row>
  );
}
