import { pretty } from "#engine/promql/print.ts";
import { defineCommand } from "../command.ts";
import { readQuery } from "../query-text.ts";

export const command = defineCommand({
  args: { query: { kind: "word", description: "A query; one that begins with - stands after --" } },
  flags: {},
  details: [
    "The same query on one line, as fed writes it. Needs no hub; a query that is wrong is shown with the place.",
  ],
  examples: [
    { line: "fed promql format 'sum by(job)(rate(up [5m]))'", says: "sum by (job) (rate(up[5m]))" },
    { line: "fed promql format -- '-up'", says: "a query that begins with a minus" },
  ],
  async run({ args, screen }) {
    const query = pretty(readQuery(args.query));
    if (screen.json) screen.data({ query });
    else for (const line of query.split("\n")) screen.line(line);
    return 0;
  },
});
