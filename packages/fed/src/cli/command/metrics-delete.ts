import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { api } from "#wire/api.ts";
import { defineCommand } from "../command.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import { localTime, momentOf } from "../moment.ts";
import { confirm, requirePerson } from "../prompt.ts";
import { seriesText } from "../query-table.ts";
import { readQuery } from "../query-text.ts";
import { countText } from "../size.ts";

const namedSeries = 5;

export const command = defineCommand({
  args: { selector: { kind: "word", description: "The series, as in a query: up, or '{job=\"old\"}'" } },
  flags: {
    ...hubFlags,
    from: { kind: "text", value: "TIME", description: "Only samples since then: 2d ago, or an ISO time" },
    to: { kind: "text", value: "TIME", description: "Only samples until then" },
    yes: { kind: "switch", short: "y", description: "Do not ask" },
  },
  details: [
    "Removes samples for good; tells which series are meant and asks first. Who asked for it is an event.",
    "What was sent on to others by remote write stays there.",
  ],
  examples: [
    { line: "fed metrics delete '{job=\"old\"}'", says: "a job that is no more, all of it" },
    { line: "fed metrics delete room_celsius --from 2026-11-20 --to 2026-11-21", says: "a day of wrong values" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const { selector } = args;
    if (readQuery(selector).kind !== "vector") {
      throw new Fault("invalid", `${selector} is no selector of series`, { hint: "Such as up, or '{job=\"old\"}'." });
    }
    const span = spanOf(flags);
    const client = await openClient(flags, env, signal);
    const { data: series } = await client.call(api.seriesByForm, { "match[]": selector, ...span.asked }, signal);
    if (series.length === 0) {
      throw new Fault("missing", `no series matches ${selector}${span.words}`, {
        hint: "fed query shows what is there.",
      });
    }
    if (!flags.yes) {
      requirePerson("say --yes");
      for (const one of series.slice(0, namedSeries)) screen.note(seriesText(one));
      if (series.length > namedSeries) screen.note({ text: `… ${series.length - namedSeries} more`, style: "dim" });
      const what = `Delete the samples of ${countText(series.length, "series", "series")}${span.words}?`;
      const sure = await confirm(`${what} This cannot be undone.`, signal);
      if (!sure) throw new Fault("invalid", "nothing was changed");
    }
    await client.call(api.deleteSeries, { "match[]": selector, ...span.asked }, signal);
    if (screen.json) screen.data({ series: series.length, selector, ...span.asked });
    screen.line(`the samples of ${countText(series.length, "series", "series")} are gone${span.words}`);
    return 0;
  },
});

function spanOf({ from, to }: { readonly from: string | undefined; readonly to: string | undefined }) {
  const nowMs = systemClock.nowMs();
  const startMs = from === undefined ? undefined : momentOf("--from", from, nowMs);
  const endMs = to === undefined ? undefined : momentOf("--to", to, nowMs);
  if (startMs !== undefined && endMs !== undefined && endMs < startMs) {
    throw new Fault("invalid", "--to is before --from", { hint: "Give the earlier time to --from." });
  }
  const words = [
    startMs === undefined ? "" : ` from ${localTime(startMs)}`,
    endMs === undefined ? "" : ` until ${localTime(endMs)}`,
  ].join("");
  const asked = {
    ...(startMs === undefined ? {} : { start: String(startMs / 1_000) }),
    ...(endMs === undefined ? {} : { end: String(endMs / 1_000) }),
  };
  return { words, asked };
}
