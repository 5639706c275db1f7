import type { ServiceStatus } from "@fed/fed/wire/status.ts";
import { Link } from "@tanstack/react-router";
import { ExternalLink } from "lucide-react";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { lookOfService } from "../view/state.ts";
import { Cell, HeadCell, Row, Table } from "../view/table.tsx";
import { Time } from "../view/time.tsx";
import { type EnvironmentGroup, reasonOf, runningSince } from "./services-list.ts";

/** The services of one environment. On a phone a row is a name, its state and how many are healthy. */
export function ServicesTable({ group: { environment, services, healthy } }: { readonly group: EnvironmentGroup }) {
  return (
    <Card flush title={environment} about={`${healthy} of ${services.length} healthy`}>
      <Table label={`Services of ${environment}`} className="table-fixed">
        <thead>
          <tr>
            <HeadCell className="w-auto">Service</HeadCell>
            <HeadCell className="w-30 max-sm:px-2 sm:w-40">State</HeadCell>
            <HeadCell className="w-18 text-right max-sm:pl-0 sm:w-24">Healthy</HeadCell>
            <HeadCell className="w-20 text-right max-md:hidden">Release</HeadCell>
            <HeadCell className="w-1/4 max-lg:hidden">Address</HeadCell>
            <HeadCell className="w-28 max-md:hidden">Machine</HeadCell>
            <HeadCell className="w-32 text-right max-lg:hidden">Last start</HeadCell>
          </tr>
        </thead>
        <tbody>
          {services.map((service) => (
            <ServiceRow key={service.service} service={service} />
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

function ServiceRow({ service }: { readonly service: ServiceStatus }) {
  const { environment, machine, state, url, replicas, release, version, differs = "", certificate = differs } = service;
  const why = reasonOf(service);
  const note = why === "" ? certificate : why;
  const since = runningSince(service);
  return (
    <Row className="relative hover:bg-hover">
      <Cell>
        {/* The link covers its row. */}
        <Link
          to="/services/$environment/$service"
          params={{ environment, service: service.service }}
          className="block font-medium [overflow-wrap:anywhere] after:absolute after:inset-0 after:content-['']"
        >
          {service.service}
        </Link>
        {note !== "" && (
          <p className="line-clamp-2 text-small text-soft [overflow-wrap:anywhere]" title={note}>
            {note}
          </p>
        )}
      </Cell>
      <Cell className="max-sm:px-2">
        <StateDot look={lookOfService(state)} />
      </Cell>
      <Cell className="whitespace-nowrap text-right max-sm:pl-0">
        {replicas.healthy} / {replicas.wanted}
      </Cell>
      <Cell className="whitespace-nowrap text-right max-md:hidden" title={version}>
        {release ?? <span className="text-faint">–</span>}
      </Cell>
      <Cell className="max-lg:hidden">{url !== undefined && <ServiceAddress url={url} />}</Cell>
      <Cell className="truncate text-soft max-md:hidden">{machine}</Cell>
      <Cell className="whitespace-nowrap text-right text-soft max-lg:hidden">
        {since === undefined ? "not running" : <Time atMs={since} />}
      </Cell>
    </Row>
  );
}

/** Where people reach it, opened beside the dashboard. */
export function ServiceAddress({ url }: { readonly url: string }) {
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      className="relative z-10 inline-flex max-w-full items-center gap-1 text-accent hover:underline"
    >
      <span className="truncate">{url.replace(/^https?:\/\//, "").replace(/\/$/, "")}</span>
      <ExternalLink aria-hidden className="size-3.5 shrink-0" />
      <span className="sr-only">(opens a new tab)</span>
    </a>
  );
}
