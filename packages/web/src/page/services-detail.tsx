import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleHelp } from "lucide-react";
import type { ReactNode } from "react";
import { statusQuery } from "../hub.ts";
import { StateBadge } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader, WayBack } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfService } from "../view/state.ts";
import { Time } from "../view/time.tsx";
import { ServiceInstances } from "./services-instances.tsx";
import { runningSince } from "./services-list.ts";
import { ServiceOutput } from "./services-output-card.tsx";
import { RestartButton } from "./services-restart.tsx";
import { StateNote } from "./services-state.tsx";
import { ServiceAddress } from "./services-table.tsx";

/** One service: how it is and why, its instances, its output. */
export function ServiceDetail({
  environment,
  service: name,
}: {
  readonly environment: string;
  readonly service: string;
}) {
  const { data: status, error, refetch } = useQuery(statusQuery);
  const service = status?.services.find((one) => one.environment === environment && one.service === name);
  return (
    <>
      <WayBack to="/services">All services</WayBack>
      <PageHeader
        title={`${environment}/${name}`}
        aside={service && <StateBadge look={lookOfService(service.state)} />}
        actions={service && <RestartButton service={service} />}
      />
      {error && !status && <ErrorState thrown={error} retry={refetch} />}
      {!status && !error && (
        <Card flush>
          <SkeletonRows label="Loading the service" />
        </Card>
      )}
      {status && !service && <Gone status={status} environment={environment} name={name} />}
      {service && (
        <div className="flex flex-col gap-4">
          <StateNote service={service} />
          <Facts service={service} />
          <ServiceInstances instances={service.instances} />
          <ServiceOutput environment={environment} service={name} />
        </div>
      )}
    </>
  );
}

function Gone({
  status,
  environment,
  name,
}: {
  readonly status: HubStatus;
  readonly environment: string;
  readonly name: string;
}) {
  const elsewhere = status.services.filter((one) => one.service === name);
  return (
    <EmptyState icon={CircleHelp} title={`The lab has no service ${environment}/${name}`}>
      {elsewhere.length === 0 ? (
        <p>It was removed, renamed, or never there.</p>
      ) : (
        <p>
          It is in{" "}
          {elsewhere.map((one, index) => (
            <span key={one.environment}>
              {index > 0 && ", "}
              <Link
                to="/services/$environment/$service"
                params={{ environment: one.environment, service: name }}
                className="text-accent underline"
              >
                {one.environment}
              </Link>
            </span>
          ))}
          .
        </p>
      )}
    </EmptyState>
  );
}

function Facts({ service }: { readonly service: ServiceStatus }) {
  const { machine, url, replicas, crashes, environment, service: name } = service;
  const since = runningSince(service);
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 rounded-large border border-line bg-surface p-4 sm:grid-cols-3 xl:grid-cols-6">
      <Fact name="Healthy">
        {replicas.healthy} of {replicas.wanted}
      </Fact>
      <Fact name="Address" className={url === undefined ? "" : "max-sm:order-first max-sm:col-span-2"}>
        {url === undefined ? <span className="text-soft">no route</span> : <ServiceAddress url={url} />}
      </Fact>
      <Fact name="Machine">
        <Link to="/machines/$name" params={{ name: machine }} className="text-accent hover:underline">
          {machine}
        </Link>
      </Fact>
      <Fact name="Last start">
        {since === undefined ? <span className="text-soft">nothing runs</span> : <Time atMs={since} />}
      </Fact>
      <Fact name="Unplanned ends">
        <span className={crashes === 0 ? "" : "text-warn"}>{crashes.toLocaleString("en")}</span>
      </Fact>
      <Fact name="Events">
        <Link
          to="/events"
          search={{ subject: `service:${environment}/${name}` }}
          className="text-accent hover:underline"
        >
          What happened to it
        </Link>
      </Fact>
    </dl>
  );
}

function Fact({
  name,
  children,
  className = "",
}: {
  readonly name: string;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  return (
    <div className={`min-w-0 ${className}`}>
      <dt className="text-small text-soft">{name}</dt>
      <dd className="[overflow-wrap:anywhere] pointer-coarse:[&_a]:py-1">{children}</dd>
    </div>
  );
}
