import { z } from "zod";

/** A loop of the hub: what it does again and again, and how that went last. */
export const loopShape = z.object({
  name: z.string(),
  /** Between the end of one run and the start of the next; 0: it runs when there is reason to. */
  intervalMs: z.number(),
  /** 0: each run has its own. */
  timeoutMs: z.number(),
  state: z.enum(["waiting", "running", "stopped"]),
  runs: z.number().int(),
  failures: z.number().int(),
  last: z
    .object({
      outcome: z.enum(["ok", "failed", "timedOut"]),
      startedMs: z.number(),
      tookMs: z.number(),
      reason: z.string(),
    })
    .optional(),
  nextMs: z.number().optional(),
});

export type LoopStatus = z.infer<typeof loopShape>;
