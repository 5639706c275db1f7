import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { recentEventsQuery } from "../hub.ts";
import { useLiveEvents } from "../live.ts";
import { StateMark } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { actorText, eventSentence, eventTone } from "../view/event.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Time } from "../view/time.tsx";

const shownAtMost = 12;

/** The newest events that mean something to a person; the page of events has them all. */
export function Recent({ className }: { readonly className: string }) {
  const { data, isPending } = useQuery(recentEventsQuery);
  const live = useLiveEvents();
  const first = live.at(-1)?.sequence ?? Number.POSITIVE_INFINITY;
  const events = [...live, ...(data?.events ?? []).filter(({ sequence }) => sequence < first)]
    .filter((event) => eventTone(event) !== "idle")
    .slice(0, shownAtMost);
  return (
    <Card
      flush
      title="What happened"
      className={className}
      actions={
        <Link to="/events" className="text-accent text-small hover:underline pointer-coarse:py-2">
          All events
        </Link>
      }
    >
      {events.length === 0 && isPending && <SkeletonRows label="Loading events" />}
      {events.length === 0 && !isPending && <p className="p-4 text-soft">Nothing of note lately.</p>}
      <ol className="flex flex-col gap-3 p-4 empty:hidden">
        {events.map((event) => (
          <li key={event.sequence} className="flex gap-2">
            <StateMark look={{ tone: eventTone(event) }} className="mt-0.5" />
            <div className="min-w-0 flex-1">
              <p className="[overflow-wrap:anywhere]">{eventSentence(event)}</p>
              <p className="flex justify-between gap-2 text-small text-soft">
                <span className="min-w-0 truncate">{actorText(event.actor)}</span>
                <Time atMs={event.atMs} className="shrink-0" />
              </p>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
