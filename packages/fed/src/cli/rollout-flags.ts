import type { FlagSpecs } from "./command.ts";
import { hubFlags } from "./hub-flags.ts";

/** The flags of commands about one service in one environment: `flags: { ...placeFlags, … }`. */
export const placeFlags = {
  ...hubFlags,
  env: { kind: "text", value: "ENVIRONMENT", description: "Environment, where the service runs in several" },
} as const satisfies FlagSpecs;

/** Of those that begin a rollout. */
export const rolloutFlags = {
  ...placeFlags,
  wait: { kind: "switch", description: "Show how it goes, and end when it has ended" },
} as const satisfies FlagSpecs;

export const serviceArg = { kind: "service", description: "Name of a service, or environment/service" } as const;
