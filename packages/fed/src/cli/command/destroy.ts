import { Fault, isFault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import type { Client } from "#wire/client.ts";
import type { OutputOf } from "#wire/endpoint.ts";
import { defineCommand } from "../command.ts";
import { findService, openClient } from "../hub-client.ts";
import { type KeptData, keyOf, nameOf } from "../kept-data.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { placeFlags, serviceArg } from "../rollout-flags.ts";

export const command = defineCommand({
  args: { service: serviceArg },
  flags: {
    ...placeFlags,
    "with-data": { kind: "switch", description: "Its data as well, for good" },
    unused: { kind: "switch", description: "Only its data that the lab no longer names; the service goes on" },
    yes: { kind: "switch", short: "y", description: "Do not ask" },
  },
  details: [
    "Ends a service as `fed stop` does; with --with-data also removes the volumes that fed keeps for it. A service that",
    "has such data is refused without that word. Folders that the lab names by `host` are never touched.",
    "It stays so until `fed start`, which begins anew; take it out of the lab to be rid of it. What is taken out of the lab keeps",
    "its data until somebody destroys it: `fed status` names it.",
  ],
  examples: [
    { line: "fed destroy dev/db --with-data", says: "end db in dev and remove its data" },
    { line: "fed destroy dev/db --unused", says: "remove what db had before and the lab no longer names" },
  ],
  async run({ args, flags, env, screen, signal }) {
    if (flags["with-data"] && flags.unused) {
      throw new Fault("invalid", "--with-data and --unused are two wishes", { hint: "Say one of them." });
    }
    const client = await openClient(flags, env, signal);
    const kept = await client.call(api.keptData, {}, signal);
    const { data } = kept;
    const { environment, service } = await find(client, args.service, kept, flags.env, signal);
    const key = `${environment}/${service}`;
    const ours = data.filter((one) => keyOf(one) === key);
    const leaving = flags.unused ? ours.filter(({ used }) => !used) : flags["with-data"] ? ours : [];
    if (flags.unused && leaving.length === 0) {
      if (screen.json) screen.data({ environment, service, volumes: [] });
      screen.line(`${key} has no data but what the lab names`);
      return 0;
    }
    // Without a word of its data the hub refuses: nobody is asked for that.
    const isRefused = ours.length > 0 && leaving.length === 0;
    if (!flags.yes && !isRefused) {
      requirePerson("say --yes");
      const sure = await confirm(question(key, leaving, flags.unused), signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    const wish = { environment, service, data: flags["with-data"], unused: flags.unused };
    const { volumes } = await client.call(api.destroyService, wish, signal);
    if (screen.json) screen.data({ environment, service, volumes });
    const gone = volumes.length === 0 ? "" : `${volumes.join(", ")} is gone`;
    const words = [flags.unused ? "" : `${key} has ended`, gone].filter((text) => text !== "");
    screen.line(words.join(", and "));
    return 0;
  },
});

function question(key: string, leaving: readonly KeptData[], unused: boolean): string {
  if (leaving.length === 0) return `End ${key}?`;
  const what = `remove ${leaving.map(nameOf).join(", ")}`;
  return `${unused ? `R${what.slice(1)}` : `End ${key} and ${what}`}? This cannot be undone.`;
}

/** A service of the lab, or one that the lab has no more and whose data is there. */
async function find(
  client: Client,
  name: string,
  { data, unseen }: OutputOf<typeof api.keptData>,
  environment: string | undefined,
  signal: AbortSignal,
): Promise<Pick<KeptData, "environment" | "service">> {
  try {
    return await findService(client, name, signal, environment);
  } catch (thrown) {
    if (!isFault(thrown) || thrown.code !== "missing") throw thrown;
    const named = data.filter((one) => one.service === name || keyOf(one) === name);
    const found = new Map(
      named
        .filter((one) => environment === undefined || one.environment === environment)
        .map((one) => [keyOf(one), one]),
    );
    const [one] = found.values();
    if (one === undefined && unseen.length > 0) {
      throw new Fault("unreachable", `${thrown.message}, and ${unseen.join(", ")} cannot be asked for data of one`, {
        hint: "`fed machines` says why. Try again once it answers.",
      });
    }
    if (one === undefined) throw thrown;
    if (found.size === 1) return one;
    throw new Fault("invalid", `there is data of ${name} in several environments`, {
      hint: `Say which: ${[...found.keys()].join(", ")}.`,
    });
  }
}
