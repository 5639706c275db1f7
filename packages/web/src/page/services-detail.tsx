import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { CircleHelp } from "lucide-react";
import { releasesQuery, statusQuery } from "../hub.ts";
import { StateBadge } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader, WayBack } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfService } from "../view/state.ts";
import { Tabs } from "../view/tabs.tsx";
import { SubjectHistory } from "./events-history.tsx";
import { Compare } from "./services-compare.tsx";
import { Environments } from "./services-environments.tsx";
import { ServiceInstances } from "./services-instances.tsx";
import { KeptOutput } from "./services-kept.tsx";
import { ServiceOutput } from "./services-output-card.tsx";
import type { ReleaseList } from "./services-release.ts";
import { Releases } from "./services-releases.tsx";
import { RolloutCard } from "./services-rollout.tsx";
import { Rollouts } from "./services-rollouts.tsx";
import { readServiceSearch } from "./services-search.ts";
import { StateNote } from "./services-state.tsx";

interface Place {
  readonly environment: string;
  readonly service: string;
}

/** One service: where it runs and how it is there; of one environment its rollouts, instances, output and releases. */
export function ServiceDetail(place: Place) {
  const { environment, service: name } = place;
  const { data: status, error, refetch } = useQuery(statusQuery);
  const releases = useQuery(releasesQuery(environment, name));
  const service = status?.services.find((one) => one.environment === environment && one.service === name);
  return (
    <>
      <WayBack to="/services">All services</WayBack>
      <PageHeader
        title={`${environment}/${name}`}
        aside={service && <StateBadge look={lookOfService(service.state)} />}
      />
      {error && !status && <ErrorState thrown={error} retry={refetch} />}
      {!error && (!status || (service && releases.isPending)) && (
        <Card flush>
          <SkeletonRows label="Loading the service" />
        </Card>
      )}
      {status && !service && <Gone status={status} {...place} />}
      {/* All at once when everything is there, so that nothing moves what somebody reads already. */}
      {status && service && !releases.isPending && (
        <div className="flex flex-col gap-4">
          <StateNote service={service} />
          <Environments status={status} service={name} shown={environment} />
          {releases.error && !releases.data && (
            <ErrorState thrown={releases.error} retry={() => void releases.refetch()} />
          )}
          <Newest list={releases.data} />
          <Parts service={service} list={releases.data} />
        </div>
      )}
    </>
  );
}

function Newest({ list }: { readonly list: ReleaseList | undefined }) {
  const newest = list?.rollouts[0];
  return newest && <RolloutCard key={newest.id} newest={newest} />;
}

function Parts({ service, list }: { readonly service: ServiceStatus; readonly list: ReleaseList | undefined }) {
  const { environment, service: name } = service;
  const place = { environment, service: name };
  const { tab = "live" } = useSearch({ from: "/inside/services/$environment/$service" });
  const navigate = useNavigate({ from: "/services/$environment/$service" });
  const count = list?.releases.length;
  return (
    <Tabs
      label="Parts of the service"
      value={tab}
      onChange={(id) =>
        void navigate({ resetScroll: false, search: (before) => readServiceSearch({ ...before, tab: id }) })
      }
      tabs={[
        {
          ...{ id: "live", label: "Live" },
          content: (
            <div className="flex flex-col gap-4">
              <ServiceInstances service={service} list={list} />
              <ServiceOutput {...place} />
              <KeptOutput place={place} instances={service.instances} list={list} />
            </div>
          ),
        },
        {
          ...{ id: "releases", label: count === undefined ? "Releases" : `Releases ${count}` },
          content: list ? (
            <div className="flex flex-col gap-4">
              <Releases place={place} list={list} />
              <Compare place={place} list={list} />
              <Rollouts rollouts={list.rollouts} />
            </div>
          ) : (
            <Card title="Releases">
              <p className="text-soft">They could not be read.</p>
            </Card>
          ),
        },
        { id: "history", label: "History", content: <SubjectHistory subject={`service:${environment}/${name}`} /> },
      ]}
    />
  );
}

function Gone({ status, environment, service: name }: Place & { readonly status: HubStatus }) {
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
