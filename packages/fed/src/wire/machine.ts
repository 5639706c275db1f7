import { z } from "zod";

/** How a machine is. A workstation that does not answer is away, a server is offline. */
export const machineStates = ["unknown", "online", "away", "offline"] as const;
export type MachineState = (typeof machineStates)[number];

export const machineFactsShape = z.object({
  hostname: z.string(),
  /** Such as `Debian GNU/Linux 12 (bookworm)`. */
  os: z.string(),
  kernel: z.string(),
  architecture: z.string(),
  cores: z.number().int(),
  memoryBytes: z.number(),
  /** Milliseconds since the epoch. */
  bootedMs: z.number(),
});

export const machineShape = z.object({
  name: z.string(),
  kind: z.enum(["server", "workstation"]),
  /** `local` is the machine the hub runs on. */
  address: z.string().optional(),
  tailscale: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(machineStates),
  /** Why it is in this state, in plain words; "" when there is nothing to say. */
  detail: z.string(),
  /** Since when it is in this state; milliseconds since the epoch. */
  sinceMs: z.number(),
  /** When it answered last; left out when it never did. */
  seenMs: z.number().optional(),
  /** How long its last answer took. */
  latencyMs: z.number().optional(),
  facts: machineFactsShape.optional(),
  /** Services that are placed on it, as `environment/service`. */
  services: z.array(z.string()),
});

export type MachineFacts = z.infer<typeof machineFactsShape>;
export type WireMachine = z.infer<typeof machineShape>;
