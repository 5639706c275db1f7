import { Fault } from "#base/fault.ts";
import type { FlagSpecs } from "./command.ts";
import type { Env } from "./env.ts";
import { checkUrl } from "./value.ts";

/** The flags of every command that talks to a hub: `flags: { ...hubFlags, … }`. */
export const hubFlags = {
  data: { kind: "folder", value: "DIR", description: "Data folder of a hub on this machine" },
  hub: { kind: "url", value: "URL", description: "Address of a hub elsewhere (fed login, or a token in FED_TOKEN)" },
} as const satisfies FlagSpecs;

export type HubChoice =
  /** Nobody said: the hub of the usual data folder, or else the one signed in at last. */
  | { readonly kind: "usual"; readonly folder: string }
  /** A hub of this machine, found by its data folder. */
  | { readonly kind: "data"; readonly folder: string }
  | { readonly kind: "url"; readonly url: string; readonly token: string | undefined };

/** Which hub is meant: flags before the environment, `--hub` and `--data` never both. */
export function chooseHub(
  flags: { readonly data: string | undefined; readonly hub: string | undefined },
  env: Env,
): HubChoice {
  if (flags.data !== undefined && flags.hub !== undefined) {
    throw new Fault("invalid", "--data and --hub name two hubs", {
      hint: "use --data for a hub on this machine, --hub for one elsewhere",
    });
  }
  if (flags.hub !== undefined) return { kind: "url", url: flags.hub, token: env.token };
  if (flags.data !== undefined) return { kind: "data", folder: flags.data };
  if (env.hub !== undefined && env.dataChosen) {
    throw new Fault("invalid", "FED_DATA and FED_HUB are both set and name two hubs", {
      hint: "unset one of them, or say --data DIR or --hub URL",
    });
  }
  const url = hubOf(env);
  if (url !== undefined) return { kind: "url", url, token: env.token };
  return { kind: env.dataChosen ? "data" : "usual", folder: env.dataFolder };
}

/** The address in FED_HUB, checked. */
export function hubOf(env: Env): string | undefined {
  return env.hub === undefined ? undefined : checkUrl("FED_HUB", env.hub);
}
