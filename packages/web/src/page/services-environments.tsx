import type { HubStatus, ServiceStatus } from "@fed/fed/wire/status.ts";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId } from "react";
import { releasesQuery } from "../hub.ts";
import { StateBadge, StateMark } from "../view/badge.tsx";
import { cx } from "../view/class-names.ts";
import { artifactText, isOpen, lookOfRollout, rolloutText, shortCommit } from "../view/release.ts";
import { lookOfService } from "../view/state.ts";
import { Time } from "../view/time.tsx";
import { ServiceDeeds } from "./services-deeds.tsx";
import { runningSince } from "./services-list.ts";
import { placesOf, type ReleaseList, servingOf, wantedOf } from "./services-release.ts";
import { readServiceSearch } from "./services-search.ts";
import { ServiceAddress } from "./services-table.tsx";

interface EnvironmentsProps {
  readonly status: Pick<HubStatus, "environments" | "services" | "promoteFrom">;
  readonly service: string;
  /** The one that the rest of the page is about. */
  readonly shown: string;
}

/** A service in each of its environments, side by side. */
export function Environments({ status, service, shown }: EnvironmentsProps) {
  const places = placesOf(status, service);
  const lists = useQueries({ queries: places.map(({ environment }) => releasesQuery(environment, service)) });
  const listOf = (environment: string) => lists[places.findIndex((one) => one.environment === environment)]?.data;
  return (
    <div className={cx("grid gap-4", places.length > 1 && "md:grid-cols-2", places.length > 2 && "xl:grid-cols-3")}>
      {places.map((place) => {
        const from = status.promoteFrom?.[place.environment];
        // Of a process there is no image to promote: it is deployed in each.
        const promotes =
          from !== undefined &&
          places.some(({ environment }) => environment === from) &&
          wantedOf(listOf(from))?.artifact.kind !== "process";
        return (
          <Environment
            key={place.environment}
            service={place}
            list={listOf(place.environment)}
            source={promotes ? { environment: from, list: listOf(from) } : undefined}
            shown={place.environment === shown}
            alone={places.length === 1}
          />
        );
      })}
    </div>
  );
}

interface EnvironmentProps {
  readonly service: ServiceStatus;
  readonly list: ReleaseList | undefined;
  readonly source: { readonly environment: string; readonly list: ReleaseList | undefined } | undefined;
  readonly shown: boolean;
  /** It has the whole width. */
  readonly alone: boolean;
}

function Environment({ service, list, source, shown, alone }: EnvironmentProps) {
  const { environment, state } = service;
  const id = useId();
  return (
    <section
      aria-labelledby={id}
      className={cx(
        "flex min-w-0 flex-col rounded-large border bg-surface",
        shown && !alone ? "border-accent" : "border-line",
      )}
    >
      <header className="flex min-h-12 flex-wrap items-center justify-between gap-2 border-line border-b px-4 py-2">
        <h2 id={id} className="min-w-0 font-semibold [overflow-wrap:anywhere]">
          {shown ? (
            <span aria-current={alone ? undefined : "page"}>{environment}</span>
          ) : (
            <Link
              to="/services/$environment/$service"
              params={{ environment, service: service.service }}
              search={({ tab }) => readServiceSearch({ tab })}
              resetScroll={false}
              className="text-accent hover:underline pointer-coarse:py-2"
            >
              {environment}
            </Link>
          )}
        </h2>
        <StateBadge look={lookOfService(state)} />
      </header>
      <div className="flex flex-1 flex-col gap-3 p-4">
        <Release service={service} list={list} />
        <Facts service={service} alone={alone} shown={shown} />
        <div className="mt-auto pt-1">
          <ServiceDeeds {...{ service, list, source }} />
        </div>
      </div>
    </section>
  );
}

/** Which release serves, what it is made of, and how the newest rollout went. */
function Release({ service, list }: Pick<EnvironmentProps, "service" | "list">) {
  const serving = servingOf(list);
  const number = serving?.number ?? service.release;
  const made = serving && artifactText(serving.artifact);
  const commit = serving?.artifact.kind === "image" ? serving.artifact.commit : undefined;
  const last = list?.rollouts[0];
  return (
    <div>
      <p className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-semibold text-large">
          {number === undefined ? "No release yet" : `Release ${number}`}
        </span>
        <span className="font-mono text-small text-soft" title={made?.title}>
          {made?.text ?? "\u200b"}
        </span>
        {commit !== undefined && (
          <span className="font-mono text-small text-soft" title={commit}>
            commit {shortCommit(commit)}
          </span>
        )}
      </p>
      <p className="flex min-h-5 items-center gap-1.5 text-small text-soft">
        {last && (
          <>
            <StateMark look={lookOfRollout(last.state)} className="size-3.5" />
            <span>
              {rolloutText(last)}, {isOpen(last) && "begun "}
              <Time atMs={last.endedMs ?? last.beganMs} />
            </span>
          </>
        )}
      </p>
      {service.certificate !== undefined && (
        <p className="mt-1 text-small text-warn [overflow-wrap:anywhere]">{service.certificate}</p>
      )}
      {service.differs !== undefined && (
        <p className="mt-1 text-small text-warn [overflow-wrap:anywhere]">Not as the lab says: {service.differs}</p>
      )}
    </div>
  );
}

function Facts({ service, alone, shown }: Pick<EnvironmentProps, "service" | "alone" | "shown">) {
  const { machine, url, replicas, crashes } = service;
  // On a phone the others are short: the way to all of it is their name.
  const less = shown ? "" : "max-md:hidden";
  const since = runningSince(service);
  return (
    <dl className={cx("grid grid-cols-2 gap-x-6 gap-y-2", alone && "sm:grid-cols-3 lg:grid-cols-5")}>
      <Fact name="Address" className={cx("col-span-2", alone && "sm:col-span-1")}>
        {url === undefined ? <span className="text-soft">no route</span> : <ServiceAddress url={url} />}
      </Fact>
      <Fact name="Healthy">
        {replicas.healthy} of {replicas.wanted}
      </Fact>
      <Fact name="Machine">
        <Link to="/machines/$name" params={{ name: machine }} className="text-accent hover:underline">
          {machine}
        </Link>
      </Fact>
      <Fact name="Last start" className={less}>
        {since === undefined ? <span className="text-soft">nothing runs</span> : <Time atMs={since} />}
      </Fact>
      <Fact name="Unplanned ends" className={less}>
        <span className={crashes === 0 ? "" : "text-warn"}>{crashes.toLocaleString("en")}</span>
      </Fact>
    </dl>
  );
}

interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
  readonly className?: string;
}

function Fact({ name, children, className }: FactProps) {
  return (
    <div className={cx("min-w-0", className)}>
      <dt className="text-small text-soft">{name}</dt>
      <dd className="[overflow-wrap:anywhere] pointer-coarse:[&_a]:py-1">{children}</dd>
    </div>
  );
}
