import { api } from "@fed/fed/wire/api.ts";
import type { WireRollout, WireRolloutStep } from "@fed/fed/wire/release.ts";
import { useMutation } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { client, queries, releasesQuery } from "../hub.ts";
import { useObstacle } from "../live.ts";
import { StateMark } from "../view/badge.tsx";
import { Button } from "../view/button.tsx";
import { TextWithCode } from "../view/code.tsx";
import { actorText } from "../view/event.ts";
import { sentence } from "../view/fault.ts";
import { countText, durationText, plainText } from "../view/format.ts";
import { useNow } from "../view/now.ts";
import {
  aftermathText,
  causeText,
  isOpen,
  lastTryOf,
  lookOfRollout,
  lookOfStep,
  rolloutText,
} from "../view/release.ts";
import { Time } from "../view/time.tsx";
import { toast } from "../view/toast-store.ts";
import { type Followed, followRollout } from "./services-follow.ts";
import { Lines } from "./services-lines.tsx";

/** The newest rollout of a service: how it stands and, while it is under way, what is done for it as it is done. */
export function RolloutCard({ newest }: { readonly newest: WireRollout }) {
  const { rollout, lines } = useFollowed(newest);
  const open = isOpen(rollout);
  /** What was seen going on stays to be read; what went well before is only a line. */
  const [unfolded, setUnfolded] = useState(open || rollout.state === "failed");
  const id = useId();
  const empty = rollout.steps.length === 0 && lines.length === 0 && rollout.output === "" && whyOf(rollout) === "";
  return (
    <section
      aria-label="Newest rollout"
      className="min-w-0 overflow-hidden rounded-large border border-line bg-surface"
    >
      <header className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
        <StateMark look={lookOfRollout(rollout.state)} />
        <div className="min-w-0 flex-1">
          <h2 className="font-semibold text-base" aria-live="polite">
            {rolloutText(rollout)}
          </h2>
          <p className="text-small text-soft">
            {causeText(rollout)}, by {actorText(rollout.by)}, <Taken rollout={rollout} />
          </p>
        </div>
        {open && <CancelButton rollout={rollout} className="max-sm:order-last max-sm:mb-1 max-sm:w-full" />}
        {!empty && (
          <Button
            kind="quiet"
            icon={unfolded ? ChevronDown : ChevronRight}
            aria-expanded={unfolded}
            aria-controls={id}
            onClick={() => setUnfolded(!unfolded)}
          >
            <span className="max-sm:sr-only">Details</span>
          </Button>
        )}
      </header>
      {unfolded && !empty && (
        <div id={id} className="flex flex-col gap-3 border-line border-t p-4">
          <Reason rollout={rollout} />
          <Waits rollout={rollout} />
          <Steps steps={rollout.steps} />
          {lines.length > 0 && <Lines label="What the build or the pull says" lines={lines} />}
          {rollout.output !== "" && lines.length === 0 && (
            <Lines label="The last lines" lines={rollout.output.split("\n")} />
          )}
        </div>
      )}
    </section>
  );
}

/** The rollout as its stream tells it; as it was asked for when there is no stream. */
function useFollowed(newest: WireRollout): Followed {
  const [seen, setSeen] = useState<Followed>();
  const { id } = newest;
  const open = isOpen(newest);
  useEffect(() => {
    if (!open) return;
    const stop = new AbortController();
    void followRollout((signal) => client.stream(api.followRollout, { id }, signal), setSeen, stop.signal);
    return () => stop.abort();
  }, [id, open]);
  if (seen?.rollout.id !== id) return { rollout: newest, lines: [] };
  // What was asked for after its end is newer than a stream that broke.
  return isOpen(seen.rollout) && !open ? { rollout: newest, lines: seen.lines } : seen;
}

function Taken({ rollout: { state, beganMs, endedMs, reason } }: { readonly rollout: WireRollout }) {
  if (endedMs === undefined) return <Running sinceMs={beganMs} />;
  if (state === "done" && reason !== "") return <Time atMs={endedMs} />;
  return (
    <>
      took {durationText(endedMs - beganMs)}, ended <Time atMs={endedMs} />
    </>
  );
}

const second = 1_000;

function Running({ sinceMs }: { readonly sinceMs: number }) {
  const nowMs = useNow(second);
  return <span>{durationText(Math.max(0, Math.floor((nowMs - sinceMs) / second) * second))}</span>;
}

interface CancelButtonProps {
  readonly rollout: WireRollout;
  readonly className: string;
}

function CancelButton({ rollout: { environment, service }, className }: CancelButtonProps) {
  const obstacle = useObstacle("operator");
  const key = `${environment}/${service}`;
  const cancel = useMutation({
    mutationFn: () => client.call(api.cancelRollout, { environment, service }),
    onSuccess: () => queries.invalidateQueries({ queryKey: releasesQuery(environment, service).queryKey }),
    onError: (thrown) =>
      toast({ tone: "bad", title: `Could not cancel the rollout of ${key}`, detail: thrown.message }),
  });
  return (
    <Button icon={X} className={className} reason={obstacle} busy={cancel.isPending} onClick={() => cancel.mutate()}>
      Cancel the rollout
    </Button>
  );
}

const whyOf = ({ reason, waits = "" }: WireRollout) => reason + waits;

/** What has to come before it goes on. */
function Waits({ rollout }: { readonly rollout: WireRollout }) {
  const { waits = "" } = rollout;
  if (!isOpen(rollout) || waits === "") return null;
  return (
    <p className="[overflow-wrap:anywhere]">
      <TextWithCode text={sentence(`it ${plainText(waits)}`)} />
    </p>
  );
}

/** Why it did not go well, and what serves instead. */
export function Reason({ rollout }: { readonly rollout: WireRollout }) {
  const { reason, state } = rollout;
  if (reason === "") return null;
  return (
    <p className="[overflow-wrap:anywhere]">
      <span className={state === "failed" ? "text-bad" : "text-soft"}>
        <TextWithCode text={sentence(plainText(reason))} />
      </span>{" "}
      {aftermathText(rollout)}
    </p>
  );
}

function Steps({ steps: all }: { readonly steps: readonly WireRolloutStep[] }) {
  const { steps, earlier } = lastTryOf(all);
  if (steps.length === 0) return null;
  return (
    <div>
      {earlier > 0 && <p className="mb-1.5 text-small text-soft">The last try, after {countText(earlier, "other")}:</p>}
      <ol aria-label="Steps" className="flex flex-col gap-1.5">
        {steps.map((step) => (
          <Step key={`${step.id} ${step.startedMs}`} step={step} />
        ))}
      </ol>
    </div>
  );
}

function Step({ step: { text, state, startedMs, tookMs, reason } }: { readonly step: WireRolloutStep }) {
  const look = lookOfStep(state);
  return (
    <li className="flex gap-2">
      <StateMark look={look} className="mt-0.5" />
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        {plainText(text)}
        <span className="sr-only">, {look.word}</span>
        {reason !== undefined && <span className="block text-small text-soft">{plainText(reason)}</span>}
      </span>
      <span className="shrink-0 text-small text-soft">
        {state === "running" ? <Running sinceMs={startedMs} /> : tookMs !== undefined && durationText(tookMs)}
      </span>
    </li>
  );
}
