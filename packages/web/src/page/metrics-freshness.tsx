import { useConnection } from "../live.ts";
import { StateDot } from "../view/badge.tsx";
import { durationText } from "../view/format.ts";
import { useNow } from "../view/now.ts";
import { Time } from "../view/time.tsx";
import type { Asked } from "./metrics-ask.ts";

interface FreshnessProps {
  readonly asked: readonly Asked[];
  readonly live: boolean;
  /** How often it is asked again while it is live. */
  readonly everyMs: number;
}

/** How late an answer may be before it is called old. */
const graceMs = 10_000;

/** How old the answer is, and whether that is what the reader expects. */
export function Freshness({ asked, live, everyMs }: FreshnessProps) {
  const nowMs = useNow(1_000);
  const connection = useConnection();
  const times = asked.flatMap(({ atMs }) => atMs ?? []);
  // Its place is kept, so that nothing moves when the first answer comes.
  if (times.length === 0) return <p className="h-6" />;
  const oldestMs = Math.min(...times);
  const late = live && nowMs - oldestMs > 2 * everyMs + graceMs;
  const old = connection === "reconnecting" || late || asked.some(({ failure }) => failure !== undefined);
  return (
    <p className="flex h-6 items-center gap-2 text-small text-soft">
      {old && <StateDot look={{ word: "old", tone: "warn" }} />}
      {!old && live && <StateDot look={{ word: "live", tone: "good" }} />}
      {!old && live ? (
        <span>Asked again every {durationText(everyMs)}.</span>
      ) : (
        <span>
          {old ? "The last answer came" : "Asked"} <Time atMs={oldestMs} />.
        </span>
      )}
    </p>
  );
}
