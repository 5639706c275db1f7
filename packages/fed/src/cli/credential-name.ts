import { sshSecrets } from "#hub/secret/ssh-key.ts";
import type { ArgSpecs, FlagSpecs } from "./command.ts";

/** What the commands about credentials have in common. */

export const credentialArg = {
  name: {
    kind: "choice",
    of: sshSecrets,
    description: "A private key, the passphrase of a key, or a password for logging in",
  },
} as const satisfies ArgSpecs;

export const machineFlag = {
  machine: { kind: "text", value: "NAME", short: "m", description: "For this machine only; for all when left out" },
} as const satisfies FlagSpecs;

/** `ssh-key of node5`, `ssh-key of all machines`. */
export function credentialText(name: string, machine: string | undefined): string {
  return `${name} of ${machine ?? "all machines"}`;
}
