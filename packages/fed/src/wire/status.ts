import { z } from "zod";
import { diagnosticShape } from "./diagnostic.ts";

/** States of a service, from good to bad. */
const serviceStates = [
  "healthy",
  "starting",
  "replacing",
  "waiting",
  "unhealthy",
  "backing off",
  "gave up",
  "unsupported",
  "stopping",
  "stopped",
] as const;

export const instanceShape = z.object({
  id: z.string(),
  replica: z.number().int(),
  spec: z.string(),
  state: z.enum(["running", "exited"]),
  health: z.enum(["unknown", "healthy", "unhealthy"]),
  routed: z.boolean(),
  port: z.number().int(),
  pid: z.number().int().optional(),
  /** Milliseconds since the epoch. */
  startedMs: z.number(),
  /** How it ended, in plain words. */
  exit: z.string().optional(),
});

export const serviceStatusShape = z.object({
  environment: z.string(),
  service: z.string(),
  machine: z.string(),
  state: z.enum(serviceStates),
  /** Why it is in this state, in plain words; empty when there is nothing to say. */
  detail: z.string(),
  url: z.string().optional(),
  replicas: z.object({ wanted: z.number().int(), healthy: z.number().int() }),
  /** Unplanned ends since the hub started or the service was changed. */
  crashes: z.number().int(),
  instances: z.array(instanceShape),
});

export const statusShape = z.object({
  lab: z.object({ name: z.string(), hash: z.string(), file: z.string(), acceptedMs: z.number() }),
  /** The newest edit, when it was refused: the lab above keeps running. */
  rejected: z.object({ atMs: z.number(), diagnostics: z.array(diagnosticShape) }).optional(),
  /** Every service is healthy and nothing is left to do. */
  ready: z.boolean(),
  ingress: z.string(),
  /** The disk of the data folder has no room: what runs goes on, wishes are refused until there is. */
  diskFull: z.object({ sinceMs: z.number(), refused: z.number().int(), folder: z.string() }).optional(),
  /** The database was found damaged: what runs goes on, wishes are refused for good. `hint` has the commands that help. */
  damaged: z.object({ sinceMs: z.number(), message: z.string(), hint: z.string() }).optional(),
  /** The vault's master key is lost, or not where it belongs: what `hint` says settles it. */
  vault: z.object({ sinceMs: z.number(), message: z.string(), hint: z.string() }).optional(),
  environments: z.array(z.string()),
  services: z.array(serviceStatusShape),
});

export type InstanceStatus = z.infer<typeof instanceShape>;
export type ServiceStatus = z.infer<typeof serviceStatusShape>;
export type HubStatus = z.infer<typeof statusShape>;
