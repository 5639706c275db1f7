import type { WireRollout } from "@fed/fed/wire/release.ts";
import { StateMark } from "../view/badge.tsx";
import { Card } from "../view/card.tsx";
import { actorText } from "../view/event.ts";
import { durationText } from "../view/format.ts";
import { causeText, lookOfRollout, rolloutText } from "../view/release.ts";
import { Time } from "../view/time.tsx";
import { Lines } from "./services-lines.tsx";
import { Reason } from "./services-rollout.tsx";

/** Each try to make a release the serving one, newest first; of one that failed, why, and its last lines. */
export function Rollouts({ rollouts }: { readonly rollouts: readonly WireRollout[] }) {
  return (
    <Card flush title="Rollouts" about="The last tries to make a release the serving one">
      {rollouts.length === 0 && <p className="p-4 text-soft">Nothing was rolled out yet.</p>}
      <ol className="flex flex-col divide-y divide-line empty:hidden">
        {rollouts.map((rollout) => (
          <Try key={rollout.id} rollout={rollout} />
        ))}
      </ol>
    </Card>
  );
}

function Try({ rollout }: { readonly rollout: WireRollout }) {
  const { state, beganMs, endedMs, by, output } = rollout;
  return (
    <li className="flex gap-3 px-4 py-2">
      <StateMark look={lookOfRollout(state)} className="mt-0.5" />
      <div className="min-w-0 flex-1">
        <p>{rolloutText(rollout)}</p>
        <p className="text-small text-soft [overflow-wrap:anywhere]">
          {causeText(rollout)}, by {actorText(by)}
          {endedMs !== undefined && endedMs > beganMs && `, took ${durationText(endedMs - beganMs)}`}
        </p>
        <Reason rollout={rollout} />
        {output !== "" && (
          <details className="mt-1">
            <summary className="w-fit text-accent text-small hover:underline pointer-coarse:py-2">
              Its last lines
            </summary>
            <div className="mt-1">
              <Lines label="What it said last" lines={output.split("\n")} />
            </div>
          </details>
        )}
      </div>
      <Time atMs={endedMs ?? beganMs} className="shrink-0 text-small text-soft" />
    </li>
  );
}
