import type { Expr } from "#engine/promql/ast.ts";
import { nearestName } from "#engine/promql/nearest.ts";
import { walk } from "#engine/promql/walk.ts";

/** Why a query may have found nothing: the metrics that it names and that nobody knows, a line for each. */
export function whyEmpty(expr: Expr, known: readonly string[]): readonly string[] {
  const there = new Set(known);
  return [...namesIn(expr)]
    .filter((name) => !there.has(name))
    .map((name) => {
      const near = nearestName(name, known);
      return `no metric is called ${name}${near === undefined ? "" : `; did you mean ${near}?`}`;
    });
}

function namesIn(expr: Expr): ReadonlySet<string> {
  const names = new Set<string>();
  for (const one of walk(expr)) {
    const selector = one.kind === "vector" ? one : undefined;
    const matcher = selector?.matchers.find(({ name, kind }) => name === "__name__" && kind === "=");
    if (matcher !== undefined) names.add(matcher.value);
  }
  return names;
}
