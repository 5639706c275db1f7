import { z } from "zod";

const whole = z.number().int().min(0);

/** Somebody who is sent what comes in, and how that goes; counts are since the hub started. */
export const remoteWriteTargetShape = z.object({
  name: z.string(),
  url: z.string(),
  state: z.enum(["sending", "failing"]),
  /** Of the state. */
  sinceMs: z.number(),
  sentSamples: whole,
  /** Samples that the target did not take and never will. */
  refusedSamples: whole,
  /** Samples that were given up because too many waited; over restarts. */
  droppedSamples: whole,
  retries: whole,
  /** Of the log, behind what the target has. */
  pendingBytes: whole,
  /** How old the newest sample is that the target has, while others wait; 0 while none does. */
  lagMs: z.number().min(0),
  lastError: z
    .object({
      atMs: z.number(),
      /** `later`: it is tried again soon. `closed`: somebody has to mend something. `refused`: these samples are lost to it. */
      kind: z.enum(["later", "closed", "refused"]),
      reason: z.string(),
    })
    .optional(),
});

export type RemoteWriteTarget = z.infer<typeof remoteWriteTargetShape>;

export const remoteWriteShape = z.object({ targets: z.array(remoteWriteTargetShape) });
