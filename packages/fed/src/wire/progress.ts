import { z } from "zod";
import { stepShape } from "./plan.ts";
import { rolloutCauses, rolloutStates } from "./release.ts";

/** What happens while a plan is carried out. One line each on the stream of `apply`. */
export const progressShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("planned"), steps: z.number().int(), notes: z.array(z.string()).readonly() }),
  /** Nothing is left to do but to wait until what has taken over has lasted; `notes` says of whom, among others. */
  z.object({ kind: z.literal("settling"), notes: z.array(z.string()).readonly() }),
  z.object({ kind: z.literal("started"), step: stepShape }),
  z.object({ kind: z.literal("succeeded"), step: stepShape, tookMs: z.number() }),
  z.object({ kind: z.literal("failed"), step: stepShape, tookMs: z.number(), reason: z.string() }),
  z.object({ kind: z.literal("skipped"), step: stepShape, reason: z.string() }),
  /** A rollout of `environment/service` has come so far. `number`: of its release, once it has one. */
  z.object({
    kind: z.literal("rollout"),
    service: z.string(),
    cause: z.enum(rolloutCauses),
    state: z.enum(rolloutStates),
    number: z.number().int().optional(),
    reason: z.string(),
    output: z.string(),
  }),
  /** A line of a build or a pull. */
  z.object({ kind: z.literal("line"), service: z.string(), text: z.string() }),
  /** Nothing is left to do; `unfinished` says what is held back and why. */
  z.object({ kind: z.literal("settled"), unfinished: z.array(z.string()).readonly() }),
]);

export type Progress = z.infer<typeof progressShape>;
