import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { HubStatus } from "@fed/fed/wire/status.ts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Boxes, Server } from "lucide-react";
import type { ReactNode } from "react";
import { machinesQuery, recentEventsQuery, statusQuery } from "../hub.ts";
import { useLiveEvents } from "../live.ts";
import { StateDot, StateMark } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { eventSentence, eventTone, subjectText } from "../view/event.ts";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfMachine, lookOfService } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import type { Tone } from "../view/tone.ts";
import { groupMachines, machineShare, matrixOf, serviceShare } from "./overview-summary.ts";

/** The lab at a glance. */
export function OverviewPage() {
  const status = useQuery(statusQuery);
  const machines = useQuery(machinesQuery);
  const failed = [status, machines].find(({ error, data }) => error !== null && data === undefined);
  if (failed) return <ErrorState thrown={failed.error} retry={() => void failed.refetch()} />;
  if (!status.data || !machines.data) return <SkeletonRows />;
  return (
    <>
      <PageHeader title="Overview" about={<LabLine status={status.data} />} />
      <div className="flex flex-col gap-4">
        <Summary status={status.data} machines={machines.data} />
        <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
          <div className="flex min-w-0 flex-col gap-4">
            <Services status={status.data} />
            <Machines machines={machines.data} />
          </div>
          <Recent />
        </div>
      </div>
    </>
  );
}

function LabLine({ status }: { readonly status: HubStatus }) {
  const { name, file, acceptedMs } = status.lab;
  return (
    <span className="[overflow-wrap:anywhere]">
      {name}, from <span className="font-mono text-small">{file}</span>, taken <Time atMs={acceptedMs} />
    </span>
  );
}

function Summary({ status, machines }: { readonly status: HubStatus; readonly machines: readonly WireMachine[] }) {
  const services = serviceShare(status.services);
  const reachable = machineShare(machines);
  const ending = status.services.reduce((sum, { crashes }) => sum + crashes, 0);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-large border border-line bg-line lg:grid-cols-4">
      <Figure label="Services healthy" tone={services.tone}>
        {services.good}
        <Of all={services.all} />
      </Figure>
      <Figure label="Machines online" tone={reachable.tone}>
        {reachable.good}
        <Of all={reachable.all} />
      </Figure>
      <Figure label="Environments" tone="idle">
        {status.environments.length}
      </Figure>
      <Figure label="Unplanned ends" tone={ending === 0 ? "idle" : "warn"}>
        {ending}
      </Figure>
    </dl>
  );
}

function Of({ all }: { readonly all: number }) {
  return <span className="font-normal text-large text-soft"> / {all}</span>;
}

function Figure(props: { readonly label: string; readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <div className="bg-surface px-4 py-3">
      <dt className="flex items-center gap-1.5 text-small text-soft">
        {props.tone !== "idle" && <StateMark look={{ tone: props.tone }} className="size-3.5" />}
        {props.label}
      </dt>
      <dd className="font-semibold text-display">{props.children}</dd>
    </div>
  );
}

function Services({ status }: { readonly status: HubStatus }) {
  const { environments, rows } = matrixOf(status);
  if (rows.length === 0) {
    return (
      <Card title="Services">
        <EmptyState icon={Boxes} title="The lab has no services yet">
          <p>
            Add one to <InlineCode>services</InlineCode> in the lab file and save it: it starts at once.
          </p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <Card title="Services" flush>
      <Table label="Services by environment">
        <thead>
          <tr>
            <HeadCell>Service</HeadCell>
            {environments.map((environment) => (
              <HeadCell key={environment}>{environment}</HeadCell>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ service, cells }) => (
            <Row key={service}>
              <Cell className="font-medium">{service}</Cell>
              {cells.map((cell, at) => (
                <Cell key={environments[at]}>
                  {cell ? (
                    <Link
                      to="/services/$environment/$service"
                      params={{ environment: cell.environment, service }}
                      className="inline-flex items-center gap-2 hover:underline"
                    >
                      <StateDot look={lookOfService(cell.state)} />
                      {cell.replicas.wanted > 1 && (
                        <span className="text-small text-soft">
                          {cell.replicas.healthy}/{cell.replicas.wanted}
                        </span>
                      )}
                    </Link>
                  ) : (
                    <span className="text-faint">
                      <span aria-hidden>–</span>
                      <span className="sr-only">does not run here</span>
                    </span>
                  )}
                </Cell>
              ))}
            </Row>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

function Machines({ machines }: { readonly machines: readonly WireMachine[] }) {
  const { servers, workstations } = groupMachines(machines);
  if (machines.length === 0) {
    return (
      <Card title="Machines">
        <EmptyState icon={Server} title="The lab has no machines yet">
          <p>
            Add one to <InlineCode>machines</InlineCode>, such as{" "}
            <InlineCode>{'server({ address: "local" })'}</InlineCode>.
          </p>
        </EmptyState>
      </Card>
    );
  }
  return (
    <Card title="Machines">
      <div className="flex flex-col gap-4">
        <MachineGroup word="Servers" machines={servers} />
        <MachineGroup word="Workstations" machines={workstations} />
      </div>
    </Card>
  );
}

function MachineGroup({ word, machines }: { readonly word: string; readonly machines: readonly WireMachine[] }) {
  if (machines.length === 0) return null;
  return (
    <section aria-label={word}>
      <h3 className="mb-2 text-small text-soft">{word}</h3>
      <ul className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
        {machines.map((machine) => (
          <li key={machine.name}>
            <Link
              to="/machines/$name"
              params={{ name: machine.name }}
              className="flex flex-col gap-0.5 rounded-base border border-line px-3 py-2 hover:bg-hover"
            >
              <span className="flex items-center justify-between gap-2">
                <span className="min-w-0 truncate font-medium">{machine.name}</span>
                <StateDot look={lookOfMachine(machine.state)} className="shrink-0 text-small" />
              </span>
              <span className="truncate text-small text-soft">
                {machine.facts?.os ?? machine.address ?? machine.tailscale}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

const recentEvents = 12;

function Recent() {
  const { data } = useQuery(recentEventsQuery);
  const live = useLiveEvents();
  const first = live.at(-1)?.sequence ?? Number.POSITIVE_INFINITY;
  const events = [...live, ...(data?.events ?? []).filter(({ sequence }) => sequence < first)].slice(0, recentEvents);
  return (
    <Card
      title="What happened"
      actions={
        <Link to="/events" className="text-accent text-small hover:underline">
          All events
        </Link>
      }
    >
      {events.length === 0 ? (
        <p className="text-soft">Nothing yet.</p>
      ) : (
        <ol className="flex flex-col gap-2.5">
          {events.map((event) => (
            <li key={event.sequence} className="flex gap-2">
              <StateMark look={{ tone: eventTone(event) }} className="mt-0.5 size-3.5 shrink-0" />
              <div className="min-w-0 flex-1">
                <p className="[overflow-wrap:anywhere]">{eventSentence(event)}</p>
                <p className="flex justify-between gap-2 text-small text-soft">
                  <span className="min-w-0 truncate">{subjectText(event.subject)}</span>
                  <Time atMs={event.atMs} className="shrink-0" />
                </p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
