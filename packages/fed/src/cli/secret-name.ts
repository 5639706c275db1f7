import type { ArgSpecs, FlagSpecs } from "./command.ts";

/** What the commands about the lab's secrets have in common. */

export const secretArg = {
  name: { kind: "text", description: "Name of the secret, as in the lab file" },
} as const satisfies ArgSpecs;

export const environmentFlag = {
  env: {
    ...{ kind: "text", value: "ENV", short: "e" },
    description: "For this environment only; for all that have none of their own when left out",
  },
} as const satisfies FlagSpecs;

/** `BLOG_DB in prod`, `BLOG_DB in all environments`. */
export function secretText(name: string, environment: string | undefined): string {
  return `${name} in ${environment ?? "all environments"}`;
}
