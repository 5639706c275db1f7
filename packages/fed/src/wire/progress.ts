import { z } from "zod";
import { stepShape } from "./plan.ts";

/** What happens while a plan is carried out. One line each on the stream of `apply`. */
export const progressShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("planned"), steps: z.number().int(), notes: z.array(z.string()).readonly() }),
  z.object({ kind: z.literal("started"), step: stepShape }),
  z.object({ kind: z.literal("succeeded"), step: stepShape, tookMs: z.number() }),
  z.object({ kind: z.literal("failed"), step: stepShape, tookMs: z.number(), reason: z.string() }),
  z.object({ kind: z.literal("skipped"), step: stepShape, reason: z.string() }),
  /** Nothing is left to do; `unfinished` says what is held back and why. */
  z.object({ kind: z.literal("settled"), unfinished: z.array(z.string()).readonly() }),
]);

export type Progress = z.infer<typeof progressShape>;
