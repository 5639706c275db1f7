import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { planShape } from "./plan.ts";
import { progressShape } from "./progress.ts";
import { statusShape } from "./status.ts";

/** Every endpoint of the hub, as data. */
export const api = {
  health: endpoint({
    method: "GET",
    path: "/health",
    access: "open",
    answer: "one",
    summary: "Is the hub there, and which?",
    input: z.object({}),
    output: z.object({ status: z.literal("ok"), version: z.string(), pid: z.number().int() }),
  }),
  status: endpoint({
    method: "GET",
    path: "/api/v1/status",
    access: "token",
    answer: "one",
    summary: "The lab, its services and their instances, as they are now.",
    input: z.object({}),
    output: statusShape,
  }),
  plan: endpoint({
    method: "GET",
    path: "/api/v1/plan",
    access: "token",
    answer: "one",
    summary: "What would change to make the lab file as it is on disk real. Writes nothing.",
    input: z.object({}),
    output: planShape,
  }),
  apply: endpoint({
    method: "POST",
    path: "/api/v1/apply",
    access: "token",
    answer: "many",
    summary: "Takes the lab file as it is on disk as the wish and makes it real; tries again what was given up.",
    input: z.object({
      /** A plan made before: refused when the lab or the world has moved since. */
      plan: planShape.pick({ desired: true, observed: true }).optional(),
    }),
    output: progressShape,
  }),
  logs: endpoint({
    method: "GET",
    path: "/api/v1/services/:environment/:service/logs",
    access: "token",
    answer: "many",
    summary: "Output of a service's instances, oldest first.",
    input: z.object({
      environment: z.string(),
      service: z.string(),
      /** How many of the last lines of each instance to begin with. */
      tail: z.coerce.number().int().min(0).max(1_000_000).default(200),
      /** Go on with what comes. */
      follow: z.stringbool().default(false),
    }),
    output: z.object({ instance: z.string(), text: z.string() }),
  }),
  down: endpoint({
    method: "POST",
    path: "/api/v1/down",
    access: "token",
    answer: "many",
    summary: "Stops every service, then the hub.",
    input: z.object({}),
    output: progressShape,
  }),
} as const;

export type Api = typeof api;
