import { systemClock } from "#base/clock.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { remarksOf, seenText, stateStyles, withLastSeen } from "../machine-words.ts";

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: [
    "A server that does not answer is offline; a workstation is away; one that answers, but not all of it can be told,",
    "is degraded. Ends with 3 when a server is offline.",
  ],
  examples: [
    { line: "fed machines", says: "show them" },
    { line: "fed machines --json", says: "print an array of objects with name, kind, state, lastSeen and more" },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { machines } = await client.call(api.machines, {}, signal);
    if (screen.json) screen.data(machines.map(withLastSeen));
    else if (machines.length === 0) {
      screen.line("There are no machines yet: add one to `machines` in the lab, or by fed machine add user@host.");
    } else {
      const nowMs = systemClock.nowMs();
      screen.table({
        columns: [
          { title: "MACHINE" },
          { title: "KIND" },
          { title: "STATE" },
          { title: "LAST SEEN", align: "right", quiet: true },
          { title: "SERVICES", align: "right" },
          { title: "SYSTEM" },
          { title: "" },
        ],
        rows: machines.map((machine) => [
          { text: machine.name, style: "strong" },
          machine.kind,
          { text: machine.state, style: stateStyles[machine.state] },
          seenText(machine, nowMs),
          String(machine.services.length),
          machine.facts?.os ?? "",
          { text: remarksOf(machine), style: "dim" },
        ]),
      });
    }
    return machines.some(({ state }) => state === "offline") ? 3 : 0;
  },
});
