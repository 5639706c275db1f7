import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { HubStatus } from "@fed/fed/wire/status.ts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { machinesQuery, statusQuery } from "../hub.ts";
import { StateMark } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { cx } from "../view/class-names.ts";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Time } from "../view/time.tsx";
import type { Tone } from "../view/tone.ts";
import { MachineTiles } from "./overview-machines.tsx";
import { ServiceMatrix } from "./overview-matrix.tsx";
import { Recent } from "./overview-recent.tsx";
import { machineShare, serviceShare, troublesOf } from "./overview-summary.ts";
import { Troubles } from "./overview-troubles.tsx";

/** The lab at a glance. */
export function OverviewPage() {
  const status = useQuery(statusQuery);
  const machines = useQuery(machinesQuery);
  const failed = [status, machines].find(({ error, data }) => error !== null && data === undefined);
  return (
    <>
      <PageHeader title="Overview" about={status.data ? <LabLine status={status.data} /> : "\u200b"} />
      {failed ? (
        <ErrorState thrown={failed.error} retry={() => void failed.refetch()} />
      ) : (
        <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] xl:grid-rows-[auto_auto_1fr]">
          <Summary status={status.data} machines={machines.data} />
          {status.data && machines.data ? (
            <Parts status={status.data} machines={machines.data} />
          ) : (
            <Card flush title="Services">
              <SkeletonRows label="Loading services" />
            </Card>
          )}
        </div>
      )}
    </>
  );
}

/** All at once when everything is there, so that nothing moves what somebody reads already. */
function Parts({ status, machines }: { readonly status: HubStatus; readonly machines: readonly WireMachine[] }) {
  const troubles = troublesOf(status.services, machines);
  return (
    <>
      {troubles.length > 0 && <Troubles troubles={troubles} className="xl:col-start-2 xl:row-start-2" />}
      <div className="flex min-w-0 flex-col gap-4 xl:col-start-1 xl:row-span-2 xl:row-start-2">
        <ServiceMatrix status={status} />
        <MachineTiles machines={machines} />
      </div>
      <Recent className={cx("xl:col-start-2", troubles.length > 0 ? "xl:row-start-3" : "xl:row-start-2")} />
    </>
  );
}

function LabLine({ status }: { readonly status: HubStatus }) {
  const { name, file, acceptedMs } = status.lab;
  return (
    <span className="[overflow-wrap:anywhere]">
      {name}, from <span className="font-mono text-small">{file}</span>, read <Time atMs={acceptedMs} />
    </span>
  );
}

interface SummaryProps {
  readonly status: HubStatus | undefined;
  readonly machines: readonly WireMachine[] | undefined;
}

/** Four figures, each with the way to what it counts; their places are kept while they are on their way. */
function Summary({ status, machines }: SummaryProps) {
  const services = status && serviceShare(status.services);
  const online = machines && machineShare(machines);
  const ends = status?.services.reduce((sum, { crashes }) => sum + crashes, 0);
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-large border border-line bg-line lg:grid-cols-4 xl:col-span-2">
      <Figure label="Services healthy" tone={services?.tone}>
        <FigureLink to="/services" value={services?.good} all={services?.all} />
      </Figure>
      <Figure label="Machines online" tone={online?.tone}>
        <FigureLink to="/machines" value={online?.good} all={online?.all} />
      </Figure>
      <Figure label="Environments">
        <FigureLink to="/services" value={status?.environments.length} />
      </Figure>
      <Figure label="Unplanned ends" tone={ends ? "warn" : undefined}>
        <FigureLink to="/events" search={{ type: "instance.exited" }} value={ends} />
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly label: string;
  readonly tone?: Tone | undefined;
  readonly children: ReactNode;
}

function Figure({ label, tone = "idle", children }: FigureProps) {
  return (
    <div className="relative bg-surface px-4 py-3 hover:bg-hover">
      <dt className="flex items-center gap-1.5 text-small text-soft">
        {tone !== "idle" && <StateMark look={{ tone }} className="size-3.5" />}
        {label}
      </dt>
      <dd className="font-semibold text-display">{children}</dd>
    </div>
  );
}

interface FigureLinkProps {
  readonly to: "/services" | "/machines" | "/events";
  readonly search?: { readonly type: string };
  readonly value: number | undefined;
  readonly all?: number | undefined;
}

/** Covers its figure. */
function FigureLink({ to, search, value, all }: FigureLinkProps) {
  return (
    <Link
      to={to}
      search={search ?? {}}
      className="after:absolute after:inset-0 after:content-[''] focus-visible:outline-none focus-visible:after:rounded-base focus-visible:after:outline-2 focus-visible:after:outline-accent focus-visible:after:outline-offset-[-3px]"
    >
      {value ?? <span className="text-faint">–</span>}
      {all !== undefined && all > 0 && <span className="font-normal text-large text-soft"> / {all}</span>}
    </Link>
  );
}
