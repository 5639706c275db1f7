import { z } from "zod";
import { diagnosticShape } from "./diagnostic.ts";
import { rolloutCauses, rolloutStates } from "./release.ts";

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
  /** Its machine cannot be asked. */
  "unknown",
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
  /** Number of the release that is wanted. */
  release: z.number().int().optional(),
  /** What that is made of, in short: the commit of its source, or else its image. */
  version: z.string().optional(),
  /** The rollout that is under way. */
  rollout: z.object({ id: z.string(), cause: z.enum(rolloutCauses), state: z.enum(rolloutStates) }).optional(),
  /** Why it is something else than what the lab says, in plain words: its newest release failed, or somebody went back. */
  differs: z.string().optional(),
  /** What is wrong with the certificate of its host name, or soon will be, in plain words. */
  certificate: z.string().optional(),
  replicas: z.object({ wanted: z.number().int(), healthy: z.number().int() }),
  /** Somebody wants nothing of it to run, until it is started again. */
  stopped: z.literal(true).optional(),
  /** Unplanned ends since the hub started or the service was changed. */
  crashes: z.number().int(),
  instances: z.array(instanceShape),
});

export const statusShape = z.object({
  lab: z.object({ name: z.string(), hash: z.string(), file: z.string(), acceptedMs: z.number() }),
  /** The newest edit, when it was refused: the lab above keeps running. */
  rejected: z.object({ atMs: z.number(), diagnostics: z.array(diagnosticShape) }).optional(),
  /** Every service is healthy, or was stopped by hand, and nothing is left to do. */
  ready: z.boolean(),
  ingress: z.string(),
  /** The disk of the data folder has no room: what runs goes on, wishes are refused until there is. */
  diskFull: z.object({ sinceMs: z.number(), refused: z.number().int(), folder: z.string() }).optional(),
  /** The database was found damaged: what runs goes on, wishes are refused for good. `hint` has the commands that help. */
  damaged: z.object({ sinceMs: z.number(), message: z.string(), hint: z.string() }).optional(),
  /** The vault's master key is lost, or not where it belongs: what `hint` says settles it. */
  vault: z.object({ sinceMs: z.number(), message: z.string(), hint: z.string() }).optional(),
  environments: z.array(z.string()),
  /** Of an environment, the one whose images it takes, where the lab says so. */
  promoteFrom: z.record(z.string(), z.string()).optional(),
  services: z.array(serviceStatusShape),
});

export type InstanceStatus = z.infer<typeof instanceShape>;
export type ServiceStatus = z.infer<typeof serviceStatusShape>;
export type HubStatus = z.infer<typeof statusShape>;
