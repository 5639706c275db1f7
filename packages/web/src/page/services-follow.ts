import type { WireRollout, WireRolloutItem } from "@fed/fed/wire/release.ts";
import { plainLine } from "../view/ansi.ts";
import { readFault } from "../view/fault.ts";
import { isOpen } from "../view/release.ts";

/** Opens the stream of a rollout: how it stands with the lines so far, then what comes, until it has ended. */
export type OpenRollout = (signal: AbortSignal) => AsyncIterable<WireRolloutItem>;

/** What is seen of a rollout. */
export interface Followed {
  readonly rollout: WireRollout;
  /** What builds and pulls say: the last ones. */
  readonly lines: readonly string[];
}

/** As many as the hub keeps. */
const mostLines = 500;
/** What comes close together is drawn together. */
const gatherMs = 50;
const firstPauseMs = 500;
const longestPauseMs = 8_000;

/** Tells how it stands until it has ended or the signal aborts. A stream that breaks is opened again, after a pause that grows. */
export async function followRollout(
  open: OpenRollout,
  tell: (seen: Followed) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const view = gather(tell, signal);
    try {
      for await (const item of open(signal)) {
        view.take(item);
        pauseMs = firstPauseMs;
      }
    } catch (thrown) {
      // It is too old to be told of: what is known of it stays.
      if (readFault(thrown).code === "missing") return;
    } finally {
      view.flush();
    }
    if (view.ended()) return;
    await pause(pauseMs, signal);
  }
}

/** Of one stream, which begins with all that has been. */
function gather(tell: (seen: Followed) => void, signal: AbortSignal) {
  let rollout: WireRollout | undefined;
  const lines: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    if (rollout && !signal.aborted) tell({ rollout, lines: [...lines] });
  };
  return {
    take(item: WireRolloutItem) {
      if (item.kind === "rollout") rollout = item.rollout;
      else if (lines.push(plainLine(item.text)) > mostLines) lines.shift();
      timer ??= setTimeout(flush, gatherMs);
    },
    flush,
    ended: () => rollout !== undefined && !isOpen(rollout),
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
