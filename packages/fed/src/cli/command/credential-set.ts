import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import { defineCommand } from "../command.ts";
import { credentialArg, credentialText, machineFlag } from "../credential-name.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen } from "../print.ts";
import { readSecretInput } from "../secret-input.ts";

export const command = defineCommand({
  args: credentialArg,
  flags: { ...hubFlags, ...machineFlag, file: { kind: "file", value: "FILE", description: "Read it from this file" } },
  details: [
    "Seals a secret for logging in to machines in the hub's vault. It is read from a file or from stdin, or asked for; never",
    "from the command line, which other users of a machine can see. The first one makes the master key: see fed key sheet.",
  ],
  examples: [
    { line: "fed credential set ssh-key --machine node5 --file ~/.ssh/node5", says: "a private key for one machine" },
    { line: "pass node5 | fed credential set ssh-password --machine node5", says: "from a pipe" },
    { line: "fed credential set ssh-password", says: "asks for a password that all machines take" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { name } = args;
    const { machine } = flags;
    const client = await openClient(flags, env, signal);
    if (name === "ssh-key" && flags.file === undefined && process.stdin.isTTY) {
      throw new Fault("invalid", "a key has many lines, and stdin is a terminal", {
        hint: "Read it from its file: fed credential set ssh-key --file ~/.ssh/id_ed25519",
      });
    }
    const question = `${name === "ssh-password" ? "Password" : "Passphrase"}: `;
    const value = await readSecretInput({ what: name, file: flags.file, question, asIs: false }, signal);
    await client.call(api.setCredential, { name, value, machine }, signal);
    if (screen.json) screen.data({ name, machine });
    screen.line(`${credentialText(name, machine)} is in the vault`);
    if (machine !== undefined) await warnOfUnknown(client, machine, screen, signal);
    return 0;
  },
});

/** One that is not there yet may come; a slip of the pen would never be used. */
async function warnOfUnknown(client: Client, machine: string, screen: Screen, signal: AbortSignal): Promise<void> {
  const { machines } = await client.call(api.machines, {}, signal);
  if (machines.some(({ name }) => name === machine)) return;
  screen.note({ text: `there is no machine ${machine} in the fleet yet`, style: "warn" });
}
