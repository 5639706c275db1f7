import { z } from "zod";

/** The one closed union of what can happen. The data of each is plain, public and small: never a secret. */
export const eventDataShape = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hub.started"), version: z.string(), pid: z.number().int() }),
  z.object({ type: z.literal("hub.stopping"), reason: z.string() }),
  z.object({ type: z.literal("lab.accepted"), name: z.string(), hash: z.string(), file: z.string() }),
  z.object({ type: z.literal("lab.rejected"), file: z.string(), errors: z.number().int(), first: z.string() }),
  z.object({ type: z.literal("instance.started"), instance: z.string(), spec: z.string(), replica: z.number().int() }),
  z.object({ type: z.literal("instance.adopted"), instance: z.string(), spec: z.string() }),
  z.object({ type: z.literal("instance.exited"), instance: z.string(), exit: z.string() }),
  z.object({ type: z.literal("instance.stopped"), instance: z.string() }),
  z.object({ type: z.literal("instance.healthy"), instance: z.string() }),
  z.object({ type: z.literal("instance.unhealthy"), instance: z.string(), reason: z.string() }),
  z.object({ type: z.literal("service.switched"), spec: z.string().optional(), targets: z.number().int() }),
  z.object({ type: z.literal("service.failed"), reason: z.string() }),
  z.object({ type: z.literal("service.gaveUp"), crashes: z.number().int(), last: z.string() }),
]);

export type EventData = z.infer<typeof eventDataShape>;

export const eventShape = z.object({
  sequence: z.number().int(),
  atMs: z.number(),
  /** Who did it: `hub`, `cli`, … */
  actor: z.string(),
  /** What it is about: `hub`, `lab`, `service:dev/api`. */
  subject: z.string(),
  /** Ties together what one deed led to. */
  correlation: z.string(),
  data: eventDataShape,
});

export type FedEvent = z.infer<typeof eventShape>;
