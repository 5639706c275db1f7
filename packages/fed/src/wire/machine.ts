import { z } from "zod";

/**
 * How a machine is. `degraded`: it answers, and something about it cannot be told. One that has missed three intervals in a row is
 * away if it is a workstation, offline if a server.
 */
export const machineStates = ["unknown", "online", "degraded", "away", "offline"] as const;
export type MachineState = (typeof machineStates)[number];

/**
 * How the hub learns of it. `local`: it is the hub's own machine. `ssh`: the hub logs in. `push`: it reports by itself, because the
 * hub cannot reach it.
 */
export const machineModes = ["local", "ssh", "push"] as const;
export type MachineMode = (typeof machineModes)[number];

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
  /** Such as `AMD Ryzen 7 5800X 8-Core Processor`. */
  cpu: z.string().optional(),
  swapBytes: z.number().optional(),
  /** Maker and product, such as `Raspberry Pi 4 Model B Rev 1.4`. */
  hardware: z.string().optional(),
  /** `kvm`, `lxc`, `docker` …; left out on bare metal. */
  virtualization: z.string().optional(),
});

/** A unit of systemd. */
export const unitShape = z.object({
  /** With its suffix: `ssh.service`. */
  name: z.string(),
  description: z.string(),
  /** As systemd says: `active`, `inactive`, `failed`, `activating` … */
  active: z.string(),
  /** As systemd says: `running`, `exited`, `dead` … */
  sub: z.string(),
  /** Times that systemd started it again by itself. */
  restarts: z.number().int(),
  memoryBytes: z.number().optional(),
  /** CPU time since its start. */
  cpuSeconds: z.number().optional(),
});

export const containerShape = z.object({
  id: z.string(),
  name: z.string(),
  image: z.string(),
  engine: z.enum(["docker", "podman"]),
  /** As the engine says: `running`, `exited`, `restarting`, `paused`, `created`, `dead`. */
  state: z.string(),
  /** Of its health check; left out when it has none. */
  health: z.enum(["healthy", "unhealthy", "starting"]).optional(),
  /** Of `exited`. */
  exitCode: z.number().int().optional(),
  restarts: z.number().int().optional(),
  startedMs: z.number().optional(),
  /** Cores in use: 0.5 is half of one; left out until it was seen twice. */
  cpu: z.number().optional(),
  memoryBytes: z.number().optional(),
  memoryLimitBytes: z.number().optional(),
  /** Times it was ended for using more memory than its limit. */
  oomKills: z.number().int().optional(),
});

export const processShape = z.object({
  pid: z.number().int(),
  user: z.string(),
  /** Its short name. */
  name: z.string(),
  /** Its argv, joined by spaces, at most 300 letters. Arguments may be secret: only for who operates machines; left out otherwise. */
  command: z.string().optional(),
  /** Cores in use: 0.5 is half of one; left out until it was seen twice. */
  cpu: z.number().optional(),
  memoryBytes: z.number(),
  threads: z.number().int(),
  startedMs: z.number(),
});

export const updateShape = z.object({
  name: z.string(),
  /** Left out when the package is new. */
  current: z.string().optional(),
  next: z.string(),
  /** The source says that it mends a weakness. */
  security: z.boolean(),
  /** Who said so: `apt`, `dnf`, `pacman`, `apk`. */
  manager: z.string(),
});

/** Something that keeps data and knows how it is: a disk (SMART), an array (mdraid), a pool (ZFS). */
export const storageShape = z.object({
  kind: z.enum(["disk", "array", "pool"]),
  name: z.string(),
  health: z.enum(["good", "warning", "bad", "unknown"]),
  /** What is wrong, or what it is, in plain words. */
  detail: z.string(),
});

/** Something about a machine that cannot be told, or was told in part. */
export const problemShape = z.object({
  /** Which collector: `containers`, `exporter node`. */
  collector: z.string(),
  reason: z.string(),
  sinceMs: z.number(),
});

/** What stands on a machine's card; a part is left out until it is known. */
export const tallyShape = z.object({
  updates: z.object({ pending: z.number().int(), security: z.number().int(), restart: z.boolean() }).optional(),
  units: z.object({ failed: z.number().int(), total: z.number().int() }).optional(),
  containers: z.object({ troubled: z.number().int(), running: z.number().int(), total: z.number().int() }).optional(),
  storage: z.object({ troubled: z.number().int(), total: z.number().int() }).optional(),
});

/** The key by which SSH knows a machine, as `ssh-keygen -l` shows it. */
export const hostKeyShape = z.object({
  type: z.string(),
  /** `SHA256:…` */
  fingerprint: z.string(),
});

export const machineShape = z.object({
  name: z.string(),
  kind: z.enum(["server", "workstation"]),
  /** `local` is the machine the hub runs on. */
  address: z.string().optional(),
  /** Its name in the tailnet. */
  tailscale: z.string().optional(),
  /** Of SSH, when it is not 22. */
  port: z.number().int().optional(),
  user: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  mode: z.enum(machineModes),
  /** Who has it in the fleet: the lab file, or somebody by `fed machine add` or `fed machine join`. */
  origin: z.enum(["lab", "added"]),
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
  /** Between two ticks. */
  intervalMs: z.number(),
  /** Why it is degraded. */
  problems: z.array(problemShape),
  /** While somebody works on it: it is looked at, and nobody is told when it goes. `untilMs` left out: until it is taken back. */
  maintenance: z.object({ sinceMs: z.number(), untilMs: z.number().optional(), reason: z.string() }).optional(),
  tally: tallyShape,
  /** It shows another key than the one it was known by: either it was set up anew, or it is another machine. */
  hostKey: z.object({ known: z.array(hostKeyShape), offered: hostKeyShape, sinceMs: z.number() }).optional(),
});

/** Everything that is known of a machine now but its samples. A list is left out until it was told once. */
export const machineDetailShape = machineShape.extend({
  units: z.array(unitShape).optional(),
  containers: z.array(containerShape).optional(),
  processes: z.array(processShape).optional(),
  updates: z.array(updateShape).optional(),
  storage: z.array(storageShape).optional(),
});

/** A tick of a machine has come, and its samples can be asked for. */
export const machineTickShape = z.object({
  machine: z.string(),
  /** Of its samples. */
  atMs: z.number(),
});

export type MachineFacts = z.infer<typeof machineFactsShape>;
export type WireMachine = z.infer<typeof machineShape>;
export type WireUnit = z.infer<typeof unitShape>;
export type WireContainer = z.infer<typeof containerShape>;
export type WireProcess = z.infer<typeof processShape>;
export type WireUpdate = z.infer<typeof updateShape>;
export type WireStorage = z.infer<typeof storageShape>;
export type WireProblem = z.infer<typeof problemShape>;
export type WireTally = z.infer<typeof tallyShape>;
export type WireHostKey = z.infer<typeof hostKeyShape>;
export type WireMachineDetail = z.infer<typeof machineDetailShape>;
export type WireMachineTick = z.infer<typeof machineTickShape>;
