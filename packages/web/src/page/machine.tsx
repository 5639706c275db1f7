import type { WireMachine, WireMachineDetail } from "@fed/fed/wire/machine.ts";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ServerOff } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { machinesQuery, queries } from "../hub.ts";
import { makeNudge } from "../nudge.ts";
import { StateBadge } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { plainText } from "../view/format.ts";
import { PageHeader, WayBack } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { lookOfMachine } from "../view/state.ts";
import { type Tab, Tabs } from "../view/tabs.tsx";
import { Time } from "../view/time.tsx";
import { SubjectHistory } from "./events-history.tsx";
import { MachineCharts } from "./machine-charts.tsx";
import { MachineChips } from "./machine-chips.tsx";
import { MachineDeeds } from "./machine-deeds.tsx";
import { ContainerList, ProcessList, StorageList, UnitList, UpdateList } from "./machine-lists.tsx";
import { MachineNotices } from "./machine-notices.tsx";
import { machineQuery } from "./machine-query.ts";
import { readMachineSearch } from "./machine-search.ts";
import { MachineSystem } from "./machine-system.tsx";
import { type Ticks, useSeenMs, useTicks } from "./machine-ticks.ts";
import { tallyChips } from "./machine-trouble.ts";

export function MachinePage() {
  const { name = "" } = useParams({ strict: false });
  const { data: machines, error, refetch } = useQuery(machinesQuery);
  const machine = machines?.find((one) => one.name === name);
  return (
    <>
      <WayBack to="/machines">All machines</WayBack>
      {machine ? <Machine key={name} machine={machine} /> : <PageHeader title={name} />}
      {!machines && error && <ErrorState thrown={error} retry={() => void refetch()} />}
      {!machines && !error && (
        <Card flush title="Machine">
          <SkeletonRows label="Loading the machine" />
        </Card>
      )}
      {machines && !machine && (
        <EmptyState icon={ServerOff} title={`The fleet has no machine ${plainText(name)}`}>
          <p>It was removed, renamed, or never there.</p>
        </EmptyState>
      )}
    </>
  );
}

function Machine({ machine }: { readonly machine: WireMachine }) {
  const { name, state, seenMs } = machine;
  // Of another host key there is a notice, with what to do about it.
  const about = machine.hostKey ? "" : machine.detail;
  const ticks = useTicks(name);
  return (
    <>
      <PageHeader
        title={name}
        aside={
          <>
            <StateBadge look={lookOfMachine(state)} />
            <Seen ticks={ticks} name={name} seenMs={seenMs} />
          </>
        }
        about={plainText(about || machine.facts?.os || "") || "\u200b"}
        actions={<MachineDeeds machine={machine} />}
      />
      <MachineNotices machine={machine} />
      <div className="mb-3 empty:hidden">
        <MachineChips chips={tallyChips(machine)} to={name} />
      </div>
      <Parts machine={machine} ticks={ticks} />
    </>
  );
}

interface SeenProps {
  readonly ticks: Ticks;
  readonly name: string;
  readonly seenMs: number | undefined;
}

function Seen({ ticks, name, seenMs }: SeenProps) {
  const lastMs = useSeenMs(ticks, name, seenMs);
  return (
    <span className="text-small text-soft">
      {lastMs === undefined ? (
        "never seen"
      ) : (
        <>
          last seen <Time atMs={lastMs} />
        </>
      )}
    </span>
  );
}

/** What of a machine's page needs its lists. */
const listTabs = new Set(["processes", "containers", "units", "updates", "storage"]);
/** Lists are long: with ticks of a second they are asked for no more often than this. */
const listPauseMs = 2_000;

function Parts({ machine, ticks }: { readonly machine: WireMachine; readonly ticks: Ticks }) {
  const { name, intervalMs, state } = machine;
  const gone = state !== "online" && state !== "degraded";
  const search = useSearch({ from: "/inside/machines/$name" });
  const navigate = useNavigate({ from: "/machines/$name" });
  const { tab = "charts" } = search;
  const { data: detail, error, refetch } = useQuery({ ...machineQuery(name), enabled: listTabs.has(tab) });
  useEffect(() => {
    if (!listTabs.has(tab)) return;
    const nudge = makeNudge(
      () => void queries.invalidateQueries({ queryKey: machineQuery(name).queryKey }),
      listPauseMs,
    );
    return ticks.listen(() => nudge([name]));
  }, [ticks, name, tab]);
  const list = (content: ReactNode) =>
    error && !detail ? <ErrorState thrown={error} retry={() => void refetch()} /> : content;
  return (
    <Tabs
      label="Parts of the machine"
      value={tab}
      onChange={(id) =>
        void navigate({ resetScroll: false, search: (before) => readMachineSearch({ ...before, tab: id }) })
      }
      tabs={[
        {
          id: "charts",
          label: "Charts",
          content: <MachineCharts machine={name} {...{ intervalMs, gone, search, ticks }} />,
        },
        ...listsOf(machine, detail).map((one) => ({ ...one, content: list(one.content) })),
        { id: "system", label: "System", content: <MachineSystem machine={machine} /> },
        { id: "history", label: "History", content: <SubjectHistory subject={`machine:${name}`} /> },
      ]}
    />
  );
}

function listsOf({ tally }: WireMachine, detail: WireMachineDetail | undefined): readonly Tab[] {
  const answered = detail !== undefined;
  const { units, containers, updates } = tally;
  const counted = (word: string, count: number | undefined) => (count ? `${word} ${count.toLocaleString("en")}` : word);
  return [
    {
      ...{ id: "processes", label: "Processes" },
      content: <ProcessList items={detail?.processes} answered={answered} />,
    },
    {
      ...{ id: "containers", label: counted("Containers", containers?.total) },
      content: <ContainerList items={detail?.containers} answered={answered} />,
    },
    {
      ...{ id: "units", label: counted("Units", units?.total) },
      content: <UnitList items={detail?.units} answered={answered} />,
    },
    {
      ...{ id: "updates", label: counted("Updates", updates?.pending) },
      content: <UpdateList items={detail?.updates} answered={answered} />,
    },
    {
      ...{ id: "storage", label: "Storage" },
      content: <StorageList items={detail?.storage} answered={answered} />,
    },
  ];
}
