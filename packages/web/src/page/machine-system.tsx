import type { WireMachine } from "@fed/fed/wire/machine.ts";
import type { ReactNode } from "react";
import { Badge } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { Code } from "../view/code.tsx";
import { bytesText, plainText } from "../view/format.ts";
import { Bytes, Duration, Time } from "../view/time.tsx";
import { commandsOf } from "./machine-command.ts";
import { MachineServices } from "./machine-services.tsx";

/** What a machine is, where it is, what is placed on it, and what can be typed about it. */
export function MachineSystem({ machine }: { readonly machine: WireMachine }) {
  const { facts, services } = machine;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card title="System">
        {facts ? (
          <Facts>
            <Fact word="Host name">{facts.hostname}</Fact>
            <Fact word="System">{facts.os}</Fact>
            <Fact word="Kernel">{`${facts.kernel}, ${facts.architecture}`}</Fact>
            <Fact word="Hardware">{facts.hardware}</Fact>
            <Fact word="Virtual">{facts.virtualization}</Fact>
            <Fact word="CPU">{facts.cpu}</Fact>
            <Fact word="Cores">{facts.cores}</Fact>
            <Fact word="Memory">
              <Bytes bytes={facts.memoryBytes} />
            </Fact>
            <Fact word="Swap">{facts.swapBytes === undefined ? undefined : bytesText(facts.swapBytes)}</Fact>
            <Fact word="Started">
              <Time atMs={facts.bootedMs} />
            </Fact>
          </Facts>
        ) : (
          <p className="text-soft">It has not said anything of itself yet.</p>
        )}
      </Card>
      <Card title="In the fleet">
        <MachineFacts machine={machine} />
      </Card>
      <MachineServices placed={services} className="lg:col-span-2" />
      <Card title="Commands" about="To type where fed is, or to copy." className="lg:col-span-2">
        <ul className="flex flex-col gap-3">
          {commandsOf(machine).map(({ about, text }) => (
            <li key={text}>
              <p className="mb-1 text-small text-soft">{about}</p>
              <Code text={text} label={about} />
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

const modes: Readonly<Record<WireMachine["mode"], string>> = {
  local: "it is the hub’s own machine",
  ssh: "the hub logs in by SSH",
  push: "it reports by itself",
};

function MachineFacts({ machine }: { readonly machine: WireMachine }) {
  const { kind, address, tailscale, port, user, mode, origin, sinceMs, latencyMs, labels, intervalMs } = machine;
  const tags = Object.entries(labels);
  return (
    <Facts>
      <Fact word="Kind">{kind}</Fact>
      <Fact word="Address">{address === "local" ? "the hub’s own machine" : address}</Fact>
      <Fact word="Tailscale">{tailscale}</Fact>
      <Fact word="Port">{port}</Fact>
      <Fact word="User">{user}</Fact>
      <Fact word="How it is seen">
        {modes[mode]}, every <Duration ms={intervalMs} />
      </Fact>
      <Fact word="From">{origin === "lab" ? "the lab file" : "fed machine add or join"}</Fact>
      <Fact word="State since">
        <Time atMs={sinceMs} />
      </Fact>
      <Fact word="Answers in">
        {latencyMs === undefined || mode !== "ssh" ? undefined : <Duration ms={latencyMs} />}
      </Fact>
      <Fact word="Labels">
        {tags.length > 0 && (
          <span className="flex flex-wrap gap-1">
            {tags.map(([label, text]) => (
              <Badge key={label} className="max-w-full whitespace-normal!">
                {plainText(`${label}: ${text}`)}
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
      <dd className="[overflow-wrap:anywhere]">{typeof children === "string" ? plainText(children) : children}</dd>
    </>
  );
}
