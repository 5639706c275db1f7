import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Boxes, Search } from "lucide-react";
import { useMemo, useState } from "react";
import { statusQuery } from "../hub.ts";
import { Card } from "../view/card.tsx";
import { Code, InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SearchInput } from "../view/field.tsx";
import { countText } from "../view/format.ts";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { ServiceDetail } from "./services-detail.tsx";
import { groupServices } from "./services-list.ts";
import { ServicesTable } from "./services-table.tsx";

/** The list of services, or one of them when the path names it. */
export function ServicesPage() {
  const { environment, service } = useParams({ strict: false });
  if (environment === undefined || service === undefined) return <ServiceList />;
  return <ServiceDetail key={`${environment}/${service}`} environment={environment} service={service} />;
}

function ServiceList() {
  const { data: status, error, refetch } = useQuery(statusQuery);
  const [sought, setSought] = useState("");
  const groups = useMemo(() => (status ? groupServices(status, sought) : []), [status, sought]);
  const count = status?.services.length ?? 0;
  const healthy = status?.services.filter(({ state }) => state === "healthy").length ?? 0;
  return (
    <>
      <PageHeader
        title="Services"
        about={
          count > 0
            ? `${countText(count, "service")} in ${countText(status?.environments.length ?? 0, "environment")}, ${healthy} healthy`
            : "\u200b"
        }
        actions={
          count > 0 && (
            <SearchInput label="Find services" value={sought} onChange={setSought} className="w-56 max-sm:w-full" />
          )
        }
      />
      {error && !status && <ErrorState thrown={error} retry={refetch} />}
      {!status && !error && (
        <Card flush>
          <SkeletonRows label="Loading services" />
        </Card>
      )}
      {status && count === 0 && <NoServices />}
      {count > 0 && groups.length === 0 && (
        <EmptyState icon={Search} title={`No service fits “${sought}”`}>
          <p>Names, machines and states are looked through.</p>
        </EmptyState>
      )}
      <div className="flex flex-col gap-4">
        {groups.map((group) => (
          <ServicesTable key={group.environment} group={group} />
        ))}
      </div>
    </>
  );
}

const example = `services: {
  site: {
    run: process("node server.mjs"),
    health: http("/health"),
    route: "site.localhost",
  },
},`;

function NoServices() {
  return (
    <EmptyState icon={Boxes} title="The lab has no services yet">
      <p>
        Add one to its <InlineCode>services</InlineCode> and save: it is started at once and appears here.
      </p>
      <Code text={example} label="an example service" className="max-w-md" />
    </EmptyState>
  );
}
