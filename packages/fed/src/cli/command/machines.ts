import { systemClock } from "#base/clock.ts";
import { api } from "#wire/api.ts";
import type { WireMachine } from "#wire/machine.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { ageOf } from "../moment.ts";
import type { Style } from "../print.ts";

const styles: Readonly<Record<WireMachine["state"], Style>> = {
  online: "good",
  degraded: "warn",
  away: "dim",
  offline: "bad",
  unknown: "dim",
};

export const command = defineCommand({
  args: {},
  flags: hubFlags,
  details: ["A server that does not answer is offline; a workstation is away. Ends with 3 when a server is offline."],
  examples: [
    { line: "fed machines", says: "show them" },
    { line: "fed machines --json", says: "print an array of objects with name, kind, state, lastSeen and more" },
  ],
  async run({ flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const { machines } = await client.call(api.machines, {}, signal);
    if (screen.json) {
      screen.data(machines.map((one) => ({ ...one, lastSeen: one.seenMs === undefined ? null : isoOf(one.seenMs) })));
    } else if (machines.length === 0) screen.line("The lab has no machines yet: add one to its `machines`.");
    else {
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
        rows: machines.map(({ name, kind, state, seenMs, services, facts, detail }) => [
          { text: name, style: "strong" },
          kind,
          { text: state, style: styles[state] },
          seenMs === undefined ? "never" : `${ageOf(seenMs, nowMs)} ago`,
          String(services.length),
          facts?.os ?? "",
          { text: detail, style: "dim" },
        ]),
      });
    }
    return machines.some(({ state }) => state === "offline") ? 3 : 0;
  },
});

function isoOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
