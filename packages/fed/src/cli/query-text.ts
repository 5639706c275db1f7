import { Fault, isFault } from "#base/fault.ts";
import type { Expr } from "#engine/promql/ast.ts";
import { parse } from "#engine/promql/parse.ts";
import { excerpt, problemOf } from "#engine/promql/problem.ts";

/** Reads a query that a person typed. Fault `invalid` shows the line that is wrong, with carets under the place. */
export function readQuery(query: string): Expr {
  try {
    return parse(query);
  } catch (thrown) {
    const problem = isFault(thrown) ? problemOf(thrown) : undefined;
    if (!isFault(thrown) || problem === undefined) throw thrown;
    const { hint, details } = thrown;
    throw new Fault("invalid", `${thrown.message}\n${excerpt(query, problem)}`, { hint, details, cause: thrown });
  }
}
