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
        about={machines ? `${countText(machines.length, "machine")} in the lab` : "\u200b"}
      />
      {machines && <Groups machines={machines} />}
      {!machines && error && <ErrorState thrown={error} retry={() => void refetch()} />}
      {!machines && !error && (
        <Card flush title="Servers" about="Should always be there.">
          <SkeletonRows label="Loading machines" />
        </Card>
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

/** The columns have fixed widths, so that both groups stand in line; a phone shows the first two. */
function Group(props: { readonly word: string; readonly about: string; readonly machines: readonly WireMachine[] }) {
  if (props.machines.length === 0) return null;
  return (
    <Card title={props.word} about={props.about} flush>
      <Table label={props.word} className="table-fixed">
        <thead>
          <tr>
            <HeadCell className="w-auto">Name</HeadCell>
            <HeadCell className="w-34">State</HeadCell>
            <HeadCell className="w-48 max-sm:hidden">Address</HeadCell>
            <HeadCell className="w-20 text-right max-lg:hidden">Cores</HeadCell>
            <HeadCell className="w-26 text-right max-lg:hidden">Memory</HeadCell>
            <HeadCell className="w-24 text-right max-md:hidden">Services</HeadCell>
            <HeadCell className="w-30 text-right max-sm:hidden">Last seen</HeadCell>
          </tr>
        </thead>
        <tbody>
          {props.machines.map((machine) => (
            <MachineRow key={machine.name} machine={machine} />
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

function MachineRow({ machine }: { readonly machine: WireMachine }) {
  const { name, state, detail, address, tailscale, facts, services, seenMs } = machine;
  const where = address === "local" ? "this machine" : (address ?? tailscale);
  const more = detail === "" ? (facts?.os ?? "") : detail;
  const none = <span className="text-faint">–</span>;
  return (
    <Row className="relative hover:bg-hover">
      <Cell>
        {/* The link covers its row. */}
        <Link
          to="/machines/$name"
          params={{ name }}
          className="block font-medium [overflow-wrap:anywhere] after:absolute after:inset-0 after:content-['']"
        >
          {name}
        </Link>
        <p className="truncate text-small text-soft sm:hidden">{where}</p>
        {more !== "" && <p className="line-clamp-2 text-small text-soft">{more}</p>}
      </Cell>
      <Cell>
        <StateDot look={lookOfMachine(state)} />
      </Cell>
      <Cell className="truncate text-soft max-sm:hidden">{where}</Cell>
      <Cell className="text-right max-lg:hidden">{facts?.cores ?? none}</Cell>
      <Cell className="whitespace-nowrap text-right max-lg:hidden">
        {facts ? <Bytes bytes={facts.memoryBytes} /> : none}
      </Cell>
      <Cell className="text-right max-md:hidden">{services.length}</Cell>
      <Cell className="whitespace-nowrap text-right max-sm:hidden">
        {seenMs === undefined ? <span className="text-soft">never</span> : <Time atMs={seenMs} />}
      </Cell>
    </Row>
  );
}
