import { print } from "#engine/promql/print.ts";
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
    const query = print(readQuery(args.query));
    if (screen.json) screen.data({ query });
    else screen.line(query);
    return 0;
  },
});
