import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Server } from "lucide-react";
import { machinesQuery } from "../hub.ts";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { countText } from "../view/format.ts";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfMachine } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Bytes, Time } from "../view/time.tsx";
import { groupMachines } from "./overview-summary.ts";

export function MachinesPage() {
  const { data: machines, error, refetch } = useQuery(machinesQuery);
  return (
    <>
      <PageHeader
        title="Machines"
        about={machines && machines.length > 0 ? `${countText(machines.length, "machine")} in the lab` : undefined}
      />
      {machines ? (
        <Groups machines={machines} />
      ) : error ? (
        <ErrorState thrown={error} retry={() => void refetch()} />
      ) : (
        <SkeletonRows />
      )}
    </>
  );
}

function Groups({ machines }: { readonly machines: readonly WireMachine[] }) {
  const { servers, workstations } = groupMachines(machines);
  if (machines.length === 0) {
    return (
      <EmptyState icon={Server} title="The lab has no machines yet">
        <p>
          Add one to <InlineCode>machines</InlineCode> in the lab file, such as{" "}
          <InlineCode>{'server({ address: "local" })'}</InlineCode>, and save it.
        </p>
      </EmptyState>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      <Group word="Servers" about="Should always be there." machines={servers} />
      <Group word="Workstations" about="May be away." machines={workstations} />
    </div>
  );
}

function Group(props: { readonly word: string; readonly about: string; readonly machines: readonly WireMachine[] }) {
  if (props.machines.length === 0) return null;
  return (
    <Card title={props.word} about={props.about} flush>
      <Table label={props.word}>
        <thead>
          <tr>
            <HeadCell>Name</HeadCell>
            <HeadCell>State</HeadCell>
            <HeadCell>Address</HeadCell>
            <HeadCell>System</HeadCell>
            <HeadCell className="text-right">Cores</HeadCell>
            <HeadCell className="text-right">Memory</HeadCell>
            <HeadCell className="text-right">Services</HeadCell>
            <HeadCell className="text-right">Last seen</HeadCell>
          </tr>
        </thead>
        <tbody>
          {props.machines.map(({ name, state, address, tailscale, facts, services, seenMs }) => (
            <Row key={name}>
              <Cell>
                <Link to="/machines/$name" params={{ name }} className="font-medium text-accent hover:underline">
                  {name}
                </Link>
              </Cell>
              <Cell>
                <StateDot look={lookOfMachine(state)} />
              </Cell>
              <Cell className="font-mono text-small">
                {address === "local" ? "this machine" : (address ?? tailscale)}
              </Cell>
              <Cell className="text-soft">{facts?.os ?? "–"}</Cell>
              <Cell className="text-right">{facts?.cores ?? "–"}</Cell>
              <Cell className="text-right">{facts ? <Bytes bytes={facts.memoryBytes} /> : "–"}</Cell>
              <Cell className="text-right">{services.length}</Cell>
              <Cell className="text-right">{seenMs === undefined ? "never" : <Time atMs={seenMs} />}</Cell>
            </Row>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}
