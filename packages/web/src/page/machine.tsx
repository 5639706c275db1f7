import { api } from "@fed/fed/wire/api.ts";
import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Eye, ServerOff } from "lucide-react";
import type { ReactNode } from "react";
import { client, machinesQuery, queries, useBarrier } from "../hub.ts";
import { StateBadge } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfMachine } from "../view/state.ts";
import { Bytes, Duration, Time } from "../view/time.tsx";
import { toast } from "../view/toast-store.ts";

export function MachinePage() {
  const { name } = useParams({ strict: false });
  const { data: machines, error, refetch } = useQuery(machinesQuery);
  if (!machines) return error ? <ErrorState thrown={error} retry={() => void refetch()} /> : <SkeletonRows />;
  const machine = machines.find((one) => one.name === name);
  if (!machine) {
    return (
      <>
        <PageHeader title={name ?? "Machine"} />
        <EmptyState icon={ServerOff} title={`The lab has no machine ${name}`}>
          <Link to="/machines" className="text-accent underline">
            See the ones it has
          </Link>
        </EmptyState>
      </>
    );
  }
  return <Machine machine={machine} />;
}

function Machine({ machine }: { readonly machine: WireMachine }) {
  const { name, kind, state, detail, facts, services, labels } = machine;
  const barrier = useBarrier("operator");
  const look = useMutation({
    mutationFn: () => client.call(api.lookAtMachine, { name }),
    async onSuccess(seen) {
      await queries.invalidateQueries({ queryKey: machinesQuery.queryKey });
      toast({
        tone: lookOfMachine(seen.state).tone,
        title: `${name} is ${lookOfMachine(seen.state).word}`,
        detail: seen.detail || undefined,
      });
    },
    onError: (thrown) => toast({ tone: "bad", title: `Could not look at ${name}`, detail: thrown.message }),
  });
  return (
    <>
      <PageHeader
        title={name}
        aside={<StateBadge look={lookOfMachine(state)} />}
        about={detail || undefined}
        actions={
          <Button icon={Eye} busy={look.isPending} reason={barrier} onClick={() => look.mutate()}>
            Look now
          </Button>
        }
      />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Card title="Machine">
          <Facts>
            <Fact word="Kind">{kind}</Fact>
            <Fact word="Address">{machine.address === "local" ? "the hub's own machine" : machine.address}</Fact>
            <Fact word="Tailscale">{machine.tailscale}</Fact>
            <Fact word="In this state">
              <Time atMs={machine.sinceMs} />
            </Fact>
            <Fact word="Last seen">{machine.seenMs === undefined ? "never" : <Time atMs={machine.seenMs} />}</Fact>
            <Fact word="Answers in">
              {machine.latencyMs === undefined ? undefined : <Duration ms={machine.latencyMs} />}
            </Fact>
            {Object.entries(labels).map(([label, text]) => (
              <Fact key={label} word={label}>
                {text}
              </Fact>
            ))}
          </Facts>
        </Card>
        <Card title="System">
          {facts ? (
            <Facts>
              <Fact word="Host name">{facts.hostname}</Fact>
              <Fact word="System">{facts.os}</Fact>
              <Fact word="Kernel">
                {facts.kernel}, {facts.architecture}
              </Fact>
              <Fact word="Cores">{facts.cores}</Fact>
              <Fact word="Memory">
                <Bytes bytes={facts.memoryBytes} />
              </Fact>
              <Fact word="Started">
                <Time atMs={facts.bootedMs} />
              </Fact>
            </Facts>
          ) : (
            <p className="text-soft">Nothing is known of it but whether it answers.</p>
          )}
        </Card>
        <Card title="Services">
          {services.length === 0 ? (
            <p className="text-soft">Nothing is placed on it.</p>
          ) : (
            <ul className="flex flex-col gap-1.5">
              {services.map((key) => {
                const [environment = "", service = ""] = key.split("/");
                return (
                  <li key={key}>
                    <Link
                      to="/services/$environment/$service"
                      params={{ environment, service }}
                      className="text-accent hover:underline"
                    >
                      {key}
                    </Link>
                  </li>
                );
              })}
            </ul>
          )}
        </Card>
      </div>
    </>
  );
}

function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2">{children}</dl>;
}

function Fact({ word, children }: { readonly word: string; readonly children: ReactNode }) {
  if (children === undefined || children === "") return null;
  return (
    <>
      <dt className="text-soft">{word}</dt>
      <dd className="[overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
