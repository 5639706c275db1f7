import type { AnyEvent } from "@fed/fed/wire/event.ts";
import { ChevronRight, GitBranch, Locate } from "lucide-react";
import { memo, type ReactNode, useId, useState } from "react";
import { StateMark } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { cx } from "../view/class-names.ts";
import { Code } from "../view/code.tsx";
import { actorText, eventSentence, eventTone, subjectText } from "../view/event.ts";
import { clockText, momentText } from "../view/format.ts";

interface EventRowProps {
  readonly event: AnyEvent;
  onCorrelation(correlation: string): void;
  onSubject(subject: string): void;
}

/** One event: when, what, who and about what; opened, all there is to know of it. */
export const EventRow = memo(({ event, onCorrelation, onSubject }: EventRowProps) => {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <li className="border-line border-b [contain-intrinsic-size:auto_2.75rem] [content-visibility:auto] last:border-b-0">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        className="flex w-full items-start gap-x-3 px-4 py-row text-left outline-offset-[-2px] hover:bg-hover xl:grid xl:grid-cols-[auto_auto_auto_minmax(0,1fr)_9rem_12rem]"
      >
        <ChevronRight
          aria-hidden
          className={cx("mt-0.5 size-4 shrink-0 text-faint transition-transform", open && "rotate-90")}
        />
        <Clock atMs={event.atMs} className="text-soft max-sm:hidden" />
        <StateMark look={{ tone: eventTone(event) }} className="mt-0.5" />
        <span className="min-w-0 flex-1">
          <span className="[overflow-wrap:anywhere]">{eventSentence(event)}</span>
          <span className="block truncate text-small text-soft xl:hidden">
            <Clock atMs={event.atMs} className="sm:hidden" />
            <span className="sm:hidden"> · </span>
            {actorText(event.actor)} · {event.subject}
          </span>
        </span>
        <span className="truncate text-soft max-xl:hidden">{actorText(event.actor)}</span>
        <span className="truncate text-soft max-xl:hidden" title={event.subject}>
          {subjectText(event.subject)}
        </span>
      </button>
      {open && (
        <div id={id} className="flex animate-appear flex-col gap-3 bg-sunken px-4 py-3 sm:pl-12">
          <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-small">
            <Fact name="Type">{event.type}</Fact>
            <Fact name="When">{momentText(event.atMs)}</Fact>
            <Fact name="Actor">{event.actor}</Fact>
            <Fact name="Subject">{event.subject}</Fact>
            <Fact name="Number">{event.sequence}</Fact>
          </dl>
          <div className="flex flex-wrap gap-2">
            <Button size="small" icon={GitBranch} onClick={() => onCorrelation(event.correlation)}>
              What this deed led to
            </Button>
            <Button size="small" icon={Locate} onClick={() => onSubject(event.subject)}>
              Only {event.subject}
            </Button>
          </div>
          <Code text={JSON.stringify(event, null, 2)} label="the event as JSON" />
        </div>
      )}
    </li>
  );
});

function Clock({ atMs, className }: { readonly atMs: number; readonly className: string }) {
  return (
    <time dateTime={new Date(atMs).toISOString()} title={momentText(atMs)} className={className}>
      {clockText(atMs)}
    </time>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="font-mono [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
