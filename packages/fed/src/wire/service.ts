import { z } from "zod";
import { endpoint } from "./endpoint.ts";

const place = { environment: z.string().max(200), service: z.string().max(200) };
const done = z.object({ done: z.literal(true) });

/** Endpoints by which people say something of one service by hand; the lab's word counts for everything else. */
export const serviceApi = {
  restart: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/restart",
    role: "operator",
    answer: "one",
    summary:
      "Replaces the instances of a service by new ones of the same version; the old serve until the new are healthy.",
    input: z.object(place),
    output: done,
  }),
  stopService: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/stop",
    role: "operator",
    answer: "one",
    summary: "Ends the instances of a service, until somebody starts it again. Its data and its releases stay.",
    input: z.object(place),
    output: done,
  }),
  startService: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/start",
    role: "operator",
    answer: "one",
    summary: "Starts a service again that somebody has stopped, or that was given up.",
    input: z.object(place),
    output: done,
  }),
  scaleService: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/scale",
    role: "operator",
    answer: "one",
    summary: "Runs so many instances of a service, until the lab says another number.",
    input: z.object({
      ...place,
      /** As the lab says when left out. */
      replicas: z.number().int().min(0).max(100).optional(),
    }),
    output: done,
  }),
  destroyService: endpoint({
    method: "POST",
    path: "/api/v1/services/:environment/:service/destroy",
    role: "operator",
    answer: "one",
    summary:
      "Ends a service as `stop` does and removes the volumes that fed keeps for it, also of one that the lab has no more; refused for data without `data`.",
    input: z.object({
      ...place,
      /** Its data as well, for good. */
      data: z.boolean().default(false),
      /** Only the data that the lab no longer names; the service goes on. */
      unused: z.boolean().default(false),
    }),
    output: z.object({ volumes: z.array(z.string()) }),
  }),
  keptData: endpoint({
    method: "GET",
    path: "/api/v1/data",
    role: "viewer",
    answer: "one",
    summary:
      "The volumes that fed keeps for services, also for those that the lab has no more; not the folders that the lab names.",
    input: z.object({}),
    output: z.object({
      data: z.array(
        z.object({
          environment: z.string(),
          service: z.string(),
          name: z.string(),
          /** Whose engine has it; left out for a folder of the hub's. */
          machine: z.string().optional(),
          /** The service is in the lab, and has it. */
          used: z.boolean(),
        }),
      ),
      /** Machines that cannot be asked now. */
      unseen: z.array(z.string()),
    }),
  }),
} as const;
