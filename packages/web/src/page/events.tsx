import type { AnyEvent, EventType } from "@fed/fed/wire/event.ts";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { GitBranch, History, X } from "lucide-react";
import { useCallback, useId, useMemo, useState } from "react";
import { Badge } from "../view/badge.tsx";
import { Button, IconButton } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { EmptyState } from "../view/empty-state.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { SearchInput, Switch } from "../view/field.tsx";
import { countText, dayText } from "../view/format.ts";
import { useNow } from "../view/now.ts";
import { PageHeader } from "../view/page-header.tsx";
import { SkeletonRows } from "../view/skeleton.tsx";
import { TypeMenu } from "./events-filter.tsx";
import {
  type EventView,
  groupDays,
  isWhole,
  matchesView,
  readTypeQuery,
  splitHeld,
  subjectQuery,
  typeQuery,
} from "./events-list.ts";
import { type LoadedEvents, useEvents } from "./events-load.ts";
import { EventRow } from "./events-row.tsx";
import { useVerify } from "./events-verify.tsx";

/** What is looked for: types and subject stand in the address, so that they can be linked to. */
function useView() {
  const search = useSearch({ from: "/inside/events" });
  const navigate = useNavigate({ from: "/events" });
  const [text, setText] = useState("");
  const [correlation, setCorrelation] = useState("");
  const types = useMemo(() => readTypeQuery(search.type ?? ""), [search.type]);
  const subject = search.subject ?? "";
  const setSearch = useCallback(
    (change: { readonly type?: string; readonly subject?: string }) =>
      void navigate({
        replace: true,
        resetScroll: false,
        search: (before) => {
          const { type, subject } = { ...before, ...change };
          return { ...(type ? { type } : {}), ...(subject ? { subject } : {}) };
        },
      }),
    [navigate],
  );
  const view: EventView = useMemo(() => ({ types, subject, text, correlation }), [types, subject, text, correlation]);
  return {
    view,
    setText,
    setCorrelation,
    setTypes: (chosen: readonly EventType[]) => setSearch({ type: typeQuery(chosen) }),
    setSubject: useCallback((wanted: string) => setSearch({ subject: wanted }), [setSearch]),
    clear() {
      setText("");
      setCorrelation("");
      setSearch({ type: "", subject: "" });
    },
  };
}

export function EventsPage() {
  const { view, setText, setCorrelation, setTypes, setSubject, clear } = useView();
  const [known, setKnown] = useState<readonly string[]>([]);
  const loaded = useEvents(view.types, subjectQuery(view.subject, known));
  const subjects = useMemo(() => [...new Set(loaded.events.map((event) => event.subject))].sort(), [loaded.events]);
  if (subjects.some((subject) => !known.includes(subject))) setKnown([...new Set([...known, ...subjects])].sort());
  const [heldAt, setHeldAt] = useState<number>();
  const matching = useMemo(() => loaded.events.filter((event) => matchesView(event, view)), [loaded.events, view]);
  const { shown, waiting } = useMemo(() => splitHeld(matching, heldAt), [matching, heldAt]);
  const { button, verdict } = useVerify();
  const follow = (on: boolean) => setHeldAt(on ? undefined : (loaded.events[0]?.sequence ?? 0));
  const list = useId();
  return (
    <>
      <PageHeader title="Events" about="Everything that happened, and who did it" actions={button} />
      {verdict}
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <TypeMenu chosen={view.types} onChange={setTypes} />
        <SearchInput
          label="Subject"
          value={view.subject}
          onChange={setSubject}
          list={list}
          className="max-sm:order-1 max-sm:w-[calc(50%-0.25rem)] sm:w-48"
        />
        <datalist id={list}>
          {known.map((subject) => (
            <option key={subject} value={subject} />
          ))}
        </datalist>
        <SearchInput
          label="Find in events"
          value={view.text}
          onChange={setText}
          className="max-sm:order-1 max-sm:w-[calc(50%-0.25rem)] sm:w-48"
        />
        {!isWhole(view) && (
          <Button kind="quiet" icon={X} onClick={clear}>
            Clear filters
          </Button>
        )}
        <span className="ml-auto">
          <Switch label="Follow" checked={heldAt === undefined} onChange={follow} />
        </span>
      </div>
      {view.correlation !== "" && <DeedNote events={matching} close={() => setCorrelation("")} />}
      {waiting > 0 && (
        <div role="status" className="mb-3 flex justify-center">
          <Button size="small" kind="primary" onClick={() => setHeldAt(loaded.events[0]?.sequence)}>
            Show {countText(waiting, "new event")}
          </Button>
        </div>
      )}
      <EventList loaded={loaded} shown={shown} view={view} onCorrelation={setCorrelation} onSubject={setSubject} />
    </>
  );
}

/** Says that only one deed is shown. */
function DeedNote({ events, close }: { readonly events: readonly AnyEvent[]; close(): void }) {
  return (
    <p className="mb-3 flex items-center gap-2 rounded-large bg-accent-wash py-1 pr-1 pl-4">
      <GitBranch aria-hidden className="size-4 shrink-0 text-accent" />
      <span className="min-w-0 flex-1">
        Only what one deed led to: {countText(events.length, "event")} of those that are loaded.
      </span>
      <IconButton label="Show everything again" icon={X} onClick={close} />
    </p>
  );
}

interface EventListProps {
  readonly loaded: LoadedEvents;
  readonly shown: readonly AnyEvent[];
  readonly view: EventView;
  onCorrelation(correlation: string): void;
  onSubject(subject: string): void;
}

function EventList({ loaded, shown, view, onCorrelation, onSubject }: EventListProps) {
  const nowMs = useNow(60_000);
  const days = useMemo(() => groupDays(shown), [shown]);
  if (loaded.error) return <ErrorState thrown={loaded.error} retry={loaded.retry} />;
  if (loaded.loading) {
    return (
      <Card flush>
        <SkeletonRows label="Loading events" />
      </Card>
    );
  }
  return (
    <>
      {shown.length === 0 && <NoEvents filtered={!isWhole(view)} loaded={loaded} />}
      <div className="flex flex-col gap-4">
        {days.map(({ dayMs, events }) => (
          <Card
            key={dayMs}
            flush
            title={dayText(dayMs, nowMs)}
            actions={<Badge>{countText(events.length, "event")}</Badge>}
          >
            <ol aria-label={`Events of ${dayText(dayMs, nowMs)}`}>
              {events.map((event) => (
                <EventRow key={event.sequence} event={event} onCorrelation={onCorrelation} onSubject={onSubject} />
              ))}
            </ol>
          </Card>
        ))}
      </div>
      {shown.length > 0 && <Older loaded={loaded} />}
    </>
  );
}

function NoEvents({ filtered, loaded }: { readonly filtered: boolean; readonly loaded: LoadedEvents }) {
  if (!filtered) {
    return (
      <EmptyState icon={History} title="Nothing has happened yet">
        <p>Save the lab file, or restart a service: it appears here at once.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={History} title="No event fits these filters">
      {loaded.older === "none" ? (
        <p>Clear some of them to see more.</p>
      ) : (
        <>
          <p>Only the newest {countText(loaded.events.length, "event")} are looked through so far.</p>
          <Older loaded={loaded} />
        </>
      )}
    </EmptyState>
  );
}

function Older({ loaded: { older, loadOlder } }: { readonly loaded: LoadedEvents }) {
  return (
    <div className="flex justify-center py-4 text-soft">
      {older === "none" && <p>That is all there is.</p>}
      {older === "enough" && <p>That is as much as a page holds. Choose types or a subject to look further back.</p>}
      {(older === "some" || older === "loading") && (
        <Button busy={older === "loading"} onClick={loadOlder}>
          Load older events
        </Button>
      )}
    </div>
  );
}
