import { usualTiers } from "#engine/tsdb/tier.ts";

/** What the hub allows itself for metrics. */

/** A query may take so long, and no longer whatever it asks for: an answer of the hub has 100 s. */
export const mostTimeoutMs = 90_000;
/** What one query may hold: the hub shares its memory with what it controls. */
export const queryLimits = { series: 200_000, samples: 50_000_000, points: 5_000_000 } as const;
/** What a query may use that is answered in the hub's own thread: little enough to hold nobody up. */
export const smallQuery = { series: 16, samples: 100_000, points: 20_000, timeoutMs: 500, parts: 16 } as const;
/** Cells of answers that are ready and being fetched: who fetches slowly keeps them in memory. */
export const mostFetched = 20_000_000;
/** Of the thread of queries. */
export const threadLimits = {
  /** It costs about 10 MB, and starts within 50 ms. */
  idleMs: 20_000,
  /** To see that nobody waits for a query any more. */
  graceMs: 1_000,
  /** What queries may hold besides columns: labels, above all. */
  heapMb: 512,
} as const satisfies Readonly<Record<string, number>>;
/** A dashboard asks for all of its charts at once. */
export const atOnce = { running: 4, waiting: 200 } as const;
const dayMs = 86_400_000;
/** Of samples; older ones are not taken. */
export const retainMs = 400 * dayMs;
/** Of 5 minutes as long as samples, of an hour for five years: 1.25 GB for 500 series every 10 s (see the decision on tiers). */
export const tiers = usualTiers(retainMs, 1826 * dayMs);
/** A sample counts so long, unless its series has ended. */
export const lookBackMs = 300_000;
/** Of the hub's own metrics. */
export const ownScrape = { everyMs: 15_000, timeoutMs: 10_000 } as const;
