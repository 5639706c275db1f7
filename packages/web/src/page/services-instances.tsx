import type { InstanceStatus } from "@fed/fed/wire/status.ts";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { instanceText } from "../view/event.ts";
import { lookOfInstance } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { orderInstances } from "./services-list.ts";

/** Every running copy of a service, and those that ended lately. */
export function ServiceInstances({ instances }: { readonly instances: readonly InstanceStatus[] }) {
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
              <HeadCell className="text-right max-sm:hidden">Replica</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Port</HeadCell>
              <HeadCell className="text-right max-sm:hidden">Process</HeadCell>
              <HeadCell>Started</HeadCell>
              <HeadCell className="max-md:hidden">Version</HeadCell>
            </tr>
          </thead>
          <tbody>
            {orderInstances(instances).map((instance) => (
              <InstanceRow key={instance.id} instance={instance} />
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}

function InstanceRow({ instance }: { readonly instance: InstanceStatus }) {
  const { id, replica, port, pid, startedMs, exit, spec, state } = instance;
  return (
    <Row>
      <Cell className="font-mono text-small" title={id}>
        {instanceText(id)}
      </Cell>
      <Cell>
        <StateDot look={lookOfInstance(instance)} />
        {state === "exited" && <p className="text-small text-soft">{exit ?? "how is not known"}</p>}
        <p className="text-small text-soft sm:hidden">
          port {port}
          {pid !== undefined && `, process ${pid}`}
        </p>
      </Cell>
      <Cell className="text-right max-sm:hidden">{replica}</Cell>
      <Cell className="text-right max-sm:hidden">{port}</Cell>
      <Cell className="text-right max-sm:hidden">{pid ?? <span className="text-faint">–</span>}</Cell>
      <Cell className="whitespace-nowrap">
        <Time atMs={startedMs} />
      </Cell>
      <Cell className="font-mono text-small text-soft max-md:hidden" title={spec}>
        {spec.slice(0, 8)}
      </Cell>
    </Row>
  );
}
