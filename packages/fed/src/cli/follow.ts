import { type Clock, sleep, systemClock } from "#base/clock.ts";
import { type Fault, type FaultCode, isFault } from "#base/fault.ts";
import type { Client } from "#wire/client.ts";
import type { Screen } from "./print.ts";
import { clientOf, type Way } from "./way.ts";

const firstWaitMs = 200;
const longestWaitMs = 10_000;
/** Bad news that may be over in a moment. */
const passing: ReadonlySet<FaultCode> = new Set(["unreachable", "timeout", "limited"]);

export interface Following<T> {
  /** The way to the hub, looked for at every try. */
  readonly find: () => Promise<Way>;
  /** Opens the stream, behind what was seen. `again`: it was open before. */
  open(client: Client, again: boolean): AsyncIterable<T>;
  see(item: T): void;
  readonly screen: Screen;
  readonly clock?: Clock;
}

/**
 * Sees a stream's items for as long as the signal lets it: over the end of an access token, a lost connection and a
 * restart of the hub, of which a person is told once. Throws the signal's reason, and what no waiting mends.
 */
export async function follow<T>(following: Following<T>, signal: AbortSignal): Promise<never> {
  const { find, open, see, screen, clock = systemClock } = following;
  let waitMs = firstWaitMs;
  let lost = false;
  let again = false;
  for (;;) {
    let letIn = false;
    const startMs = clock.tickMs();
    const client = clientOf(find, () => {
      letIn = true;
      if (lost) screen.note({ text: "connected again", style: "dim" });
      lost = false;
    });
    try {
      for await (const item of open(client, again)) {
        waitMs = firstWaitMs;
        see(item);
      }
    } catch (thrown) {
      if (signal.aborted || !isFault(thrown) || !mayPass(thrown, letIn)) throw thrown;
      // An end of the token is nobody's business as long as there is a next one.
      if (!lost && passing.has(thrown.code)) {
        lost = true;
        screen.note({ text: `${thrown.message}; waiting for it …`, style: "warn" });
      }
    }
    signal.throwIfAborted();
    again ||= letIn;
    if (letIn && clock.tickMs() - startMs > longestWaitMs) waitMs = firstWaitMs;
    await sleep(clock, waitMs, signal);
    waitMs = Math.min(longestWaitMs, waitMs * 2);
  }
}

/** Who was let in and is not any more has a token that ended: the next try tells whether there is another. */
function mayPass(fault: Fault, letIn: boolean): boolean {
  return passing.has(fault.code) || (letIn && fault.code === "unauthenticated");
}
