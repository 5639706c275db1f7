import type { WireMachine } from "@fed/fed/wire/machine.ts";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { machinesQuery } from "../hub.ts";
import { Card } from "../view/card.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SearchInput, Switch } from "../view/field.tsx";
import { countText } from "../view/format.ts";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import type { BoardState } from "./board-ask.ts";
import { useBoard, useWanted } from "./board-use.ts";
import { type Ticks, useTicks } from "./machine-ticks.ts";
import { MachineCard } from "./machines-card.tsx";
import { NoMachines } from "./machines-empty.tsx";
import { byMachine, cardFigures, figuresOfAll, sparkLengthMs, sparkStepMs } from "./machines-figure.ts";
import { inTrouble, meantBy } from "./machines-search.ts";
import { groupMachines } from "./overview-summary.ts";

export function MachinesPage() {
  const { data: machines, error, refetch } = useQuery(machinesQuery);
  const [sought, setSought] = useState("");
  const [troubled, setTroubled] = useState(false);
  const long = (machines ?? []).length >= searchedFrom;
  const shown = (machines ?? []).filter(
    (machine) => !long || (meantBy(machine, sought) && (!troubled || inTrouble(machine))),
  );
  return (
    <>
      <PageHeader
        title="Machines"
        about={machines ? aboutText(shown.length, machines.length) : "\u200b"}
        actions={
          long && (
            <>
              <SearchInput label="Search machines" value={sought} onChange={setSought} className="max-sm:w-full" />
              <Switch label="Only in trouble" checked={troubled} onChange={setTroubled} />
            </>
          )
        }
      />
      {machines && machines.length > 0 && <Groups machines={shown} all={machines} />}
      {machines && machines.length === 0 && <NoMachines />}
      {!machines && error && <ErrorState thrown={error} retry={() => void refetch()} />}
      {!machines && !error && (
        <Card flush title="Servers" about="Should always be there.">
          <SkeletonRows label="Loading machines" />
        </Card>
      )}
    </>
  );
}

/** Fewer are seen at a glance. */
const searchedFrom = 12;

function aboutText(shown: number, all: number): string {
  return shown === all ? `${countText(all, "machine")} in the fleet` : `${shown} of ${countText(all, "machine")}`;
}

/** All cards are drawn anew together, however many ticks come. */
const pauseMs = 5_000;

interface GroupsProps {
  readonly machines: readonly WireMachine[];
  /** Those that are not shown, too: what is asked of the hub does not change with what is sought. */
  readonly all: readonly WireMachine[];
}

function Groups({ machines, all }: GroupsProps) {
  const ticks = useTicks();
  const wanted = useWanted({
    figures: figuresOfAll(all),
    lengthMs: sparkLengthMs,
    stepMs: sparkStepMs,
  });
  const state = useBoard(wanted, ticks, pauseMs);
  const { servers, workstations } = groupMachines(machines);
  if (machines.length === 0) return <p className="px-1 text-soft">No machine has these words.</p>;
  return (
    <div className="flex flex-col gap-6">
      <Group word="Servers" about="Should always be there." machines={servers} {...{ state, ticks }} />
      <Group word="Workstations" about="May be away." machines={workstations} {...{ state, ticks }} />
    </div>
  );
}

interface GroupProps {
  readonly word: string;
  readonly about: string;
  readonly machines: readonly WireMachine[];
  readonly state: BoardState | undefined;
  readonly ticks: Ticks;
}

function Group({ word, about, machines, state, ticks }: GroupProps) {
  if (machines.length === 0) return null;
  const figures = new Map(cardFigures.map(({ id }) => [id, byMachine(state?.told.get(id))]));
  return (
    <section aria-label={word}>
      <header className="mb-2 flex flex-wrap items-baseline gap-x-3">
        <h2 className="font-semibold text-large">{word}</h2>
        <p className="text-small text-soft">{about}</p>
      </header>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-3">
        {machines.map((machine) => (
          <li key={machine.name} className="min-w-0 [contain-intrinsic-size:auto_13rem] [content-visibility:auto]">
            <MachineCard {...{ machine, figures, ticks }} live={state?.grid.tailMs !== undefined} />
          </li>
        ))}
      </ul>
    </section>
  );
}
