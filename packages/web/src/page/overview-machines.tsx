import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { Link } from "@tanstack/react-router";
import { Server } from "lucide-react";
import { StateDot } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { InlineCode } from "../view/code.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { countText, plainText } from "../view/format.ts";
import { lookOfMachine } from "../view/state.ts";
import { groupMachines } from "./overview-summary.ts";

/** Servers, which should be there, and workstations, which may be away. */
export function MachineTiles({ machines }: { readonly machines: readonly WireMachine[] }) {
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
    <Card title="Machines" className="@container">
      <div className="flex flex-col gap-4">
        <Group word="Servers" machines={servers} />
        <Group word="Workstations" machines={workstations} />
      </div>
    </Card>
  );
}

function Group({ word, machines }: { readonly word: string; readonly machines: readonly WireMachine[] }) {
  if (machines.length === 0) return null;
  return (
    <section aria-label={word}>
      <h3 className="mb-2 text-small text-soft">{word}</h3>
      <ul className="grid gap-2 @lg:grid-cols-2 @3xl:grid-cols-3">
        {machines.map((machine) => (
          <li key={machine.name}>
            <Tile machine={machine} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tile({ machine: { name, state, facts, address, tailscale, services } }: { readonly machine: WireMachine }) {
  const system = facts?.os ?? (address === "local" ? "this machine" : (address ?? tailscale));
  return (
    <Link
      to="/machines/$name"
      params={{ name }}
      className="flex h-full flex-col gap-0.5 rounded-base border border-line px-3 py-2 hover:bg-hover"
    >
      <span className="flex items-start justify-between gap-2">
        <span className="min-w-0 font-medium [overflow-wrap:anywhere]">{name}</span>
        <StateDot look={lookOfMachine(state)} className="shrink-0 text-small" />
      </span>
      <span className="flex justify-between gap-2 text-small text-soft">
        <span className="min-w-0 truncate">{plainText(system ?? "")}</span>
        <span className="shrink-0">{countText(services.length, "service")}</span>
      </span>
    </Link>
  );
}
