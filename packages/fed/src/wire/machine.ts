import { z } from "zod";

/** How a machine is. One that has not answered three looks in a row is away if it is a workstation, offline if a server. */
export const machineStates = ["unknown", "online", "away", "offline"] as const;
export type MachineState = (typeof machineStates)[number];

/** What a machine says of itself. */
export const machineFactsShape = z.object({
  hostname: z.string(),
  /** Such as `Debian GNU/Linux 12 (bookworm)`. */
  os: z.string(),
  /** Its release, such as `6.1.0-18-amd64`. */
  kernel: z.string(),
  /** As Node.js names it: `x64`, `arm64`. */
  architecture: z.string(),
  cores: z.number().int(),
  memoryBytes: z.number(),
  /** When it was started; milliseconds since the epoch, exact to some seconds. */
  bootedMs: z.number(),
});

export const machineShape = z.object({
  name: z.string(),
  kind: z.enum(["server", "workstation"]),
  /** `local` is the machine the hub runs on. */
  address: z.string().optional(),
  /** Its name in the tailnet. */
  tailscale: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  state: z.enum(machineStates),
  /** Why it is in this state, in plain words; "" when there is nothing to say. */
  detail: z.string(),
  /** Since when it is in this state; milliseconds since the epoch. */
  sinceMs: z.number(),
  /** When it answered last; left out when it never did. */
  seenMs: z.number().optional(),
  /** How long its last answer took; left out when it did not say. */
  latencyMs: z.number().optional(),
  /** Left out until it has said them. */
  facts: machineFactsShape.optional(),
  /** Services that are placed on it, as `environment/service`. */
  services: z.array(z.string()),
});

export type MachineFacts = z.infer<typeof machineFactsShape>;
export type WireMachine = z.infer<typeof machineShape>;
