import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { WireMachineDetail } from "#wire/machine.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { ageOf } from "../moment.ts";
import type { Screen } from "../print.ts";
import { confirm, requirePerson } from "../prompt.ts";

export const command = defineCommand({
  args: { name: { kind: "text", description: "Name of the machine" } },
  flags: {
    ...hubFlags,
    fingerprint: {
      kind: "text",
      value: "SHA256:…",
      description: "Accept exactly this key and do not ask; for scripts that know it from the machine itself",
    },
  },
  details: [
    "A machine that shows another host key than the one it is known by is not logged in to: it was set up anew, or it",
    "is not your machine. Compare the fingerprint with the machine's own, at its console:",
    "  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $key; done",
  ],
  examples: [
    { line: "fed machine trust node5", says: "show both keys, ask, and accept the new one" },
    { line: "fed machine trust node5 --fingerprint SHA256:dWl3…", says: "in a script" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { name } = args;
    const fingerprint =
      flags.fingerprint ?? (await ask(await client.call(api.machine, { name }, signal), screen, signal));
    const machine = await client.call(api.trustMachine, { name, fingerprint }, signal);
    if (screen.json) screen.data(machine);
    screen.line(`${name} is known by ${fingerprint} from now on`);
    return 0;
  },
});

/** The fingerprint of the key that is offered, once the person has compared it. */
async function ask({ name, hostKey }: WireMachineDetail, screen: Screen, signal: AbortSignal): Promise<string> {
  if (hostKey === undefined) {
    throw new Fault("missing", `${name} shows no other key than the one it is known by`, {
      hint: "There is nothing to accept.",
    });
  }
  requirePerson("say --fingerprint SHA256:…");
  const { known, offered, sinceMs } = hostKey;
  for (const key of known) screen.note(`known by   ${key.fingerprint}  ${key.type}`);
  screen.note(`shows now  ${offered.fingerprint}  ${offered.type}  for ${ageOf(sinceMs, systemClock.nowMs())}`);
  const sure = await confirm(`Did you compare it with ${name}'s own? Accept it?`, signal);
  if (!sure) throw new Fault("invalid", "nothing was changed");
  return offered.fingerprint;
}
