import { api } from "@fed/fed/wire/api.ts";
import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Eye, ServerOff } from "lucide-react";
import type { ReactNode } from "react";
import { client, machinesQuery, queries, useBarrier } from "../hub.ts";
import { Badge, StateBadge } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { PageHeader, WayBack } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfMachine } from "../view/state.ts";
import { Bytes, Duration, Time } from "../view/time.tsx";
import { toast } from "../view/toast-store.ts";
import { MachineServices } from "./machine-services.tsx";

export function MachinePage() {
  const { name = "" } = useParams({ strict: false });
  const { data: machines, error, refetch } = useQuery(machinesQuery);
  const machine = machines?.find((one) => one.name === name);
  return (
    <>
      <WayBack to="/machines">All machines</WayBack>
      {machine ? <Machine machine={machine} /> : <PageHeader title={name} />}
      {!machines && error && <ErrorState thrown={error} retry={() => void refetch()} />}
      {!machines && !error && (
        <Card flush title="Machine">
          <SkeletonRows label="Loading the machine" />
        </Card>
      )}
      {machines && !machine && (
        <EmptyState icon={ServerOff} title={`The lab has no machine ${name}`}>
          <p>It was removed, renamed, or never there.</p>
        </EmptyState>
      )}
    </>
  );
}

function Machine({ machine }: { readonly machine: WireMachine }) {
  const { name, state, detail, facts, services } = machine;
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
          <MachineFacts machine={machine} />
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
        <MachineServices placed={services} className="lg:col-span-2" />
      </div>
    </>
  );
}

function MachineFacts({ machine }: { readonly machine: WireMachine }) {
  const { kind, address, tailscale, sinceMs, seenMs, latencyMs, labels } = machine;
  const tags = Object.entries(labels);
  return (
    <Facts>
      <Fact word="Kind">{kind}</Fact>
      <Fact word="Address">{address === "local" ? "the hub’s own machine" : address}</Fact>
      <Fact word="Tailscale">{tailscale}</Fact>
      <Fact word="State since">
        <Time atMs={sinceMs} />
      </Fact>
      <Fact word="Last seen">{seenMs === undefined ? "never" : <Time atMs={seenMs} />}</Fact>
      <Fact word="Answers in">
        {latencyMs === undefined || address === "local" ? undefined : <Duration ms={latencyMs} />}
      </Fact>
      <Fact word="Labels">
        {tags.length > 0 && (
          <span className="flex flex-wrap gap-1">
            {tags.map(([label, text]) => (
              <Badge key={label} className="max-w-full whitespace-normal!">
                {label}: {text}
              </Badge>
            ))}
          </span>
        )}
      </Fact>
    </Facts>
  );
}

function Facts({ children }: { readonly children: ReactNode }) {
  return <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2">{children}</dl>;
}

function Fact({ word, children }: { readonly word: string; readonly children: ReactNode }) {
  if (children === undefined || children === "" || children === false) return null;
  return (
    <>
      <dt className="text-soft">{word}</dt>
      <dd className="[overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
