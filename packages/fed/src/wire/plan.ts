import { z } from "zod";

/** The plan as the outside sees it; the same shape as the engine's value, so that a plan file can be handed back. */
const actionShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("start"), service: z.string(), spec: z.string(), replica: z.number().int() }),
  z.object({
    kind: z.literal("check"),
    service: z.string(),
    spec: z.string(),
    atLeast: z.number().int(),
    except: z.array(z.string()).readonly(),
  }),
  z.object({
    kind: z.literal("switch"),
    service: z.string(),
    spec: z.string().optional(),
    except: z.array(z.string()).readonly(),
  }),
  z.object({ kind: z.literal("drain"), service: z.string(), instance: z.string() }),
  z.object({ kind: z.literal("stop"), service: z.string(), instance: z.string() }),
  z.object({ kind: z.literal("remove"), service: z.string(), instance: z.string() }),
]);

export const stepShape = z.object({
  id: z.string(),
  action: actionShape,
  reason: z.string(),
  after: z.array(z.string()).readonly(),
});

export const planShape = z.object({
  /** Hash of the lab the plan makes real. */
  desired: z.string(),
  /** Hash of the observed state it is bound to. */
  observed: z.string(),
  steps: z.array(stepShape).readonly(),
  notes: z.array(z.string()).readonly(),
});

export type WirePlan = z.infer<typeof planShape>;
