import { Link } from "@tanstack/react-router";
import { StateMark } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { Card } from "../view/card.tsx";
import { ErrorState } from "../view/error-state.tsx";
import { actorText, eventSentence, eventTone } from "../view/event.ts";
import { momentText } from "../view/format.ts";
import { SkeletonRows } from "../view/skeleton.tsx";
import { Time } from "../view/time.tsx";
import { useEvents } from "./events-load.ts";

/** What happened to a machine or a service, the newest first. */
export function SubjectHistory({ subject }: { readonly subject: string }) {
  const { events: all, loading, error, retry, older, loadOlder } = useEvents([], subject);
  const events = all.filter((event) => event.subject === subject);
  return (
    <Card
      flush
      title="History"
      actions={
        <Link to="/events" search={{ subject }} className="text-accent text-small hover:underline pointer-coarse:py-2">
          In the log of events
        </Link>
      }
    >
      {loading && <SkeletonRows label="Loading what happened" />}
      {error !== null && <ErrorState thrown={error} retry={retry} />}
      {!loading && error === null && events.length === 0 && (
        <p className="p-4 text-soft">Nothing has happened to it.</p>
      )}
      <ol className="flex flex-col divide-y divide-line empty:hidden">
        {events.map((event) => (
          <li key={event.sequence} className="flex gap-3 px-4 py-2">
            <StateMark look={{ tone: eventTone(event) }} className="mt-0.5" />
            <div className="min-w-0 flex-1">
              <p className="[overflow-wrap:anywhere]">{eventSentence(event)}</p>
              <p className="text-small text-soft">
                {actorText(event.actor)} · {momentText(event.atMs)}
              </p>
            </div>
            <Time atMs={event.atMs} className="shrink-0 text-small text-soft" />
          </li>
        ))}
      </ol>
      {(older === "some" || older === "loading") && (
        <div className="border-line border-t p-3 text-center">
          <Button busy={older === "loading"} onClick={loadOlder}>
            Show older
          </Button>
        </div>
      )}
    </Card>
  );
}
