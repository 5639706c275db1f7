/** The parts of an engine's answers that are used, checked as they come. Docker and Podman differ in what they leave out. */
import { z } from "zod";
import { Fault } from "#base/fault.ts";

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((found) => found ?? {});

const published = z.array(z.object({ HostIp: z.string().nullish(), HostPort: z.string().nullish() })).nullish();

export const listAnswer = z.array(z.object({ Id: z.string(), State: z.string(), Labels: labels }));
export type ListedContainer = z.infer<typeof listAnswer>[number];

export const inspectAnswer = z.object({
  Id: z.string(),
  Created: z.string(),
  State: z.object({
    Status: z.string(),
    Running: z.boolean().nullish(),
    Pid: z.number().nullish(),
    ExitCode: z.number().nullish(),
    OOMKilled: z.boolean().nullish(),
    StartedAt: z.string().nullish(),
    FinishedAt: z.string().nullish(),
  }),
  Config: z.object({ Labels: labels, StopSignal: z.union([z.string(), z.number()]).nullish() }),
  HostConfig: z
    .object({
      ...{ NanoCpus: z.number().nullish(), CpuQuota: z.number().nullish(), CpuShares: z.number().nullish() },
      ...{ Memory: z.number().nullish(), PidsLimit: z.number().nullish() },
      RestartPolicy: z.object({ Name: z.string().nullish() }).nullish(),
    })
    .nullish(),
  NetworkSettings: z.object({ Ports: z.record(z.string(), published).nullish() }).nullish(),
});
export type InspectedContainer = z.infer<typeof inspectAnswer>;

export const createAnswer = z.object({ Id: z.string(), Warnings: z.array(z.string()).nullish() });

export const networksAnswer = z.array(
  z.object({
    ...{ Id: z.string(), Name: z.string(), Created: z.string().nullish() },
    IPAM: z.object({ Config: z.array(z.object({ Gateway: z.string().nullish() })).nullish() }).nullish(),
  }),
);
export type ListedNetwork = z.infer<typeof networksAnswer>[number];

export const volumeAnswer = z.object({ Name: z.string(), Labels: labels });
export const volumesAnswer = z.object({ Volumes: z.array(volumeAnswer).nullish() });
export type ListedVolume = z.infer<typeof volumeAnswer>;

export const eventAnswer = z.object({
  Type: z.string().nullish(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: labels }),
});

export const statsAnswer = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().nullish(),
    stats: z.record(z.string(), z.number()).nullish(),
  }),
});

export const execAnswer = z.object({ Id: z.string() });
export const execEndAnswer = z.object({ ExitCode: z.number().nullish(), Running: z.boolean().nullish() });

/** Fault `unreachable` for what no engine that we know answers. */
export function readAnswer<T>(name: string, what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path = [], message = "" } = parsed.error.issues[0] ?? {};
  throw new Fault("unreachable", `${name} answered ${what} in a way that is not known: ${path.join(".")} ${message}`, {
    hint: "Its version may be too new or too old for this fed.",
  });
}
