import { z } from "zod";
import { endpoint } from "./endpoint.ts";

/** As the lab has names of secrets and environments. */
export const secretNameShape = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "letters, digits and underscores, not beginning with a digit");
export const environmentNameShape = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "lower-case letters, digits and dashes, at most 63");

/** The newest value of a secret in one environment, or for all that have none of their own. The value never leaves the hub by the API. */
export const secretShape = z.object({
  name: z.string(),
  /** Of this environment only; left out: of all. */
  environment: z.string().optional(),
  /** 1, 2, 3, … of its name, each value another one; 0: a file in the hub's data folder. */
  version: z.number().int(),
  setMs: z.number().optional(),
  setBy: z.string().optional(),
  /** The master key that sealed it is not there: it cannot be opened. */
  lost: z.literal(true).optional(),
});

/** Who has a secret by the lab. */
export const secretUseShape = z.object({
  name: z.string(),
  /** Left out: the hub itself needs it, for an exporter or a target of remote write. */
  environment: z.string().optional(),
  /** `dev/blog`, `exporter node5/nas`, `remote write longterm`. */
  by: z.string(),
});

export const secretApi = {
  secrets: endpoint({
    method: "GET",
    path: "/api/v1/secrets",
    role: "viewer",
    answer: "one",
    summary: "The lab's secrets by name and version, and which have no value where one is needed; never a value.",
    input: z.object({}),
    output: z.object({ secrets: z.array(secretShape), missing: z.array(secretUseShape) }),
  }),
  setSecret: endpoint({
    method: "POST",
    path: "/api/v1/secrets/:name",
    role: "admin",
    answer: "one",
    summary:
      "Seals a new version of a secret's value. What runs keeps the version it has; a new release takes the newest.",
    input: z.object({
      name: secretNameShape,
      environment: environmentNameShape.optional(),
      value: z.string().min(1).max(65_536),
    }),
    output: z.object({
      version: z.number().int(),
      /** False: it is the value that it had. */
      changed: z.boolean(),
      /** The lab has a secret of that name, and the environment. */
      declared: z.boolean(),
      /** Who gets this value by the lab. */
      uses: z.array(secretUseShape),
      /** Services that waited for it, as `environment/service`: they begin now. */
      begins: z.array(z.string()),
    }),
  }),
  removeSecret: endpoint({
    method: "POST",
    path: "/api/v1/secrets/:name/remove",
    role: "admin",
    answer: "one",
    summary: "Takes a secret's value out: nothing new gets it. Releases that are kept still have their version.",
    input: z.object({ name: secretNameShape, environment: environmentNameShape.optional() }),
    output: z.object({ done: z.literal(true) }),
  }),
};

export type WireSecret = z.infer<typeof secretShape>;
export type WireSecretUse = z.infer<typeof secretUseShape>;
