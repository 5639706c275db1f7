import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { machineDetailShape, machineShape, machineTickShape } from "./machine.ts";

/** As the lab has names of machines. */
export const machineNameShape = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "lower-case letters, digits and dashes, at most 63");

/** As the lab has addresses and users: they are shown, and stand in lines that people copy. */
const addressShape = z
  .string()
  .max(253)
  .regex(
    /^(?!local$)(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?)$/,
    'a host name or an IP address; the hub\'s own machine stands in the lab file: server({ address: "local" })',
  );
const userShape = z
  .string()
  .max(64)
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, "the name of a user");

const name = z.string().min(1).max(200);
const done = z.object({ done: z.literal(true) });
const kind = z.enum(["server", "workstation"]);

/** Of a secret that the vault keeps for machines: `ssh-key`, `ssh-password`. */
export const credentialNameShape = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "lower-case letters, digits and dashes, at most 63");

/** One sealed secret; its value never leaves the hub by the API. */
export const credentialShape = z.object({
  name: z.string(),
  /** Of this machine only; left out: of all. */
  machine: z.string().optional(),
  setMs: z.number(),
  setBy: z.string(),
  /** The master key that sealed it is not there: it cannot be opened. */
  lost: z.literal(true).optional(),
});

/** Endpoints about the fleet: who is in it, and how the hub gets to know of it. */
export const fleetApi = {
  watchMachines: endpoint({
    method: "GET",
    path: "/api/v1/machine-ticks",
    role: "viewer",
    answer: "events",
    summary:
      "Tells of each tick of a machine when its samples can be asked for. While somebody watches one by its name, it ticks every second.",
    input: z.object({
      /** Only this one, and every second; all, at their own pace, when left out. */
      machine: z.string().max(200).optional(),
    }),
    output: machineTickShape,
  }),
  addMachine: endpoint({
    method: "POST",
    path: "/api/v1/machines",
    // The hub logs in where it says, also with what is meant for all machines.
    role: "admin",
    answer: "one",
    summary: "Takes a machine into the fleet that does not stand in the lab file, and looks at it.",
    input: z.object({
      name: machineNameShape,
      kind,
      address: addressShape,
      port: z.number().int().min(1).max(65_535).optional(),
      user: userShape.optional(),
    }),
    output: machineShape,
  }),
  removeMachine: endpoint({
    method: "POST",
    path: "/api/v1/machines/:name/remove",
    role: "operator",
    answer: "one",
    summary:
      "Takes a machine that was added out of the fleet; one that reports by itself is told to uninstall what it runs for us.",
    input: z.object({ name }),
    output: z.object({
      /** What it runs for us is gone; false: it will be told when it reports next. */
      uninstalled: z.boolean(),
    }),
  }),
  maintainMachine: endpoint({
    method: "POST",
    path: "/api/v1/machines/:name/maintenance",
    role: "operator",
    answer: "one",
    summary: "Begins or ends the maintenance of a machine: meanwhile nobody is told when it goes.",
    input: z.object({
      name,
      on: z.boolean(),
      reason: z.string().max(500).default(""),
      /** Left out: until it is ended. */
      untilMs: z.number().optional(),
    }),
    output: machineShape,
  }),
  trustMachine: endpoint({
    method: "POST",
    path: "/api/v1/machines/:name/trust",
    role: "operator",
    answer: "one",
    summary: "Accepts the host key that a machine shows now in place of the one it was known by.",
    input: z.object({
      name,
      /** What the caller has seen and compared: another one is not accepted. */
      fingerprint: z.string().max(200),
    }),
    output: machineDetailShape,
  }),
  allowJoin: endpoint({
    method: "POST",
    path: "/api/v1/machines/:name/join",
    role: "operator",
    answer: "one",
    summary: "Makes a token with which a machine that the hub cannot reach joins the fleet, once.",
    input: z.object({ name: machineNameShape, kind: kind.default("server") }),
    output: z.object({ token: z.string(), path: z.string(), expiresMs: z.number() }),
  }),
  credentials: endpoint({
    method: "GET",
    path: "/api/v1/credentials",
    role: "operator",
    answer: "one",
    summary: "Names of what the vault keeps for logging in to machines; never a value.",
    input: z.object({}),
    output: z.object({ credentials: z.array(credentialShape) }),
  }),
  setCredential: endpoint({
    method: "POST",
    path: "/api/v1/credentials/:name",
    role: "admin",
    answer: "one",
    summary: "Seals a secret in the vault, in the place of what had its name.",
    input: z.object({
      name: credentialNameShape,
      machine: machineNameShape.optional(),
      value: z.string().min(1).max(65_536),
    }),
    output: done,
  }),
  removeCredential: endpoint({
    method: "POST",
    path: "/api/v1/credentials/:name/remove",
    role: "admin",
    answer: "one",
    summary: "Takes a secret out of the vault.",
    input: z.object({ name: credentialNameShape, machine: machineNameShape.optional() }),
    output: done,
  }),
  rotateKey: endpoint({
    method: "POST",
    path: "/api/v1/key/rotate",
    role: "local",
    answer: "one",
    summary: "Seals everything in the vault by a new master key.",
    input: z.object({}),
    output: z.object({ from: z.string(), to: z.string(), secrets: z.number().int() }),
  }),
  recoverySheet: endpoint({
    method: "POST",
    path: "/api/v1/key/sheet",
    role: "local",
    answer: "one",
    summary: "The master key as a text to print and to lock away.",
    input: z.object({}),
    output: z.object({ id: z.string(), text: z.string() }),
  }),
  restoreKey: endpoint({
    method: "POST",
    path: "/api/v1/key/restore",
    role: "local",
    answer: "one",
    summary: "Takes a master key from its recovery sheet: what it sealed opens again.",
    input: z.object({ text: z.string().min(1).max(65_536) }),
    output: z.object({ id: z.string(), secrets: z.number().int() }),
  }),
  startOverKey: endpoint({
    method: "POST",
    path: "/api/v1/key/start-over",
    role: "local",
    answer: "one",
    summary:
      "Makes a new master key in the place of a lost one. What that sealed is kept, and opens if it is ever restored.",
    input: z.object({}),
    output: z.object({ to: z.string(), kept: z.number().int() }),
  }),
};

export type WireCredential = z.infer<typeof credentialShape>;
