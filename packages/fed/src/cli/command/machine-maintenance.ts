import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { durationMs, localTime } from "../moment.ts";

export const command = defineCommand({
  args: { name: { kind: "text", description: "Name of the machine" } },
  flags: {
    ...hubFlags,
    for: { kind: "text", value: "TIME", description: "Ends by itself after so long: 30m, 2h, 1d" },
    reason: { kind: "text", value: "TEXT", description: "Why, for the others" },
    end: { kind: "switch", description: "The work is done: whether it is there is asked anew" },
  },
  details: [
    "While somebody works on a machine it is looked at as ever, and nobody is told when it goes.",
    "Without --for it lasts until --end.",
  ],
  examples: [
    { line: 'fed machine maintenance node5 --for 2h --reason "new disk"', says: "begin, for two hours at most" },
    { line: "fed machine maintenance node5 --end", says: "end it" },
  ],
  async run({ args: { name }, flags, env, screen, signal }) {
    const on = !flags.end;
    const lastsMs = flags.for === undefined ? undefined : durationMs(flags.for);
    if (flags.for !== undefined && (!lastsMs || !on)) {
      throw new Fault("invalid", `--for cannot be ${JSON.stringify(flags.for)}${on ? "" : " with --end"}`, {
        hint: "Write how long it lasts: 30m, 2h, 1d.",
      });
    }
    const untilMs = lastsMs === undefined ? undefined : systemClock.nowMs() + lastsMs;
    const client = await openClient(flags, env, signal);
    const wish = { name, on, reason: flags.reason ?? "", ...(untilMs === undefined ? {} : { untilMs }) };
    const machine = await client.call(api.maintainMachine, wish, signal);
    if (screen.json) screen.data(machine);
    const until = untilMs === undefined ? "until fed machine maintenance --end" : `until ${localTime(untilMs)}`;
    screen.line(on ? `${name} is under maintenance ${until}` : `${name} is under maintenance no more`);
    return 0;
  },
});
