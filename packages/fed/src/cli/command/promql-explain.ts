import { explain, explainTree } from "#engine/promql/explain.ts";
import { defineCommand } from "../command.ts";
import { readQuery } from "../query-text.ts";

export const command = defineCommand({
  args: { query: { kind: "word", description: "A query; one that begins with - stands after --" } },
  flags: {},
  details: [
    "A line for each part: the part, what it yields, and what it does; what it is made of stands below, indented.",
  ],
  examples: [
    { line: "fed promql explain 'sum by (job) (rate(http_requests_total[5m]))'", says: "say what it computes" },
    { line: "fed promql explain --json 'up == 0'", says: "as a tree, with the place of each part" },
  ],
  async run({ args, screen }) {
    const expr = readQuery(args.query);
    if (screen.json) screen.data(explainTree(expr));
    else for (const line of explain(expr).split("\n")) screen.line(line);
    return 0;
  },
});
