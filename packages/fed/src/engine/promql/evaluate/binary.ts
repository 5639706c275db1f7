import type { Binary } from "../ast.ts";
import { typeOf } from "../type.ts";
import { streamRenamed } from "./call.ts";
import { streamMatched } from "./match.ts";
import { arithmetic, comparisons } from "./math.ts";
import { dropName } from "./name.ts";
import { type Draft, type Frame, isEmpty, type Query, type Visit } from "./query.ts";

/** A binary operation with at least one instant vector. */
export async function streamBinary(query: Query, expr: Binary, frame: Frame, visit: Visit): Promise<void> {
  if (typeOf(expr.left) === "scalar") return await streamScaled(query, expr, frame, true, visit);
  if (typeOf(expr.right) === "scalar") return await streamScaled(query, expr, frame, false, visit);
  await streamMatched(query, expr, frame, visit);
}

export async function scalarBinary(query: Query, expr: Binary, frame: Frame): Promise<Float64Array<ArrayBuffer>> {
  const left = await query.scalar(expr.left, frame);
  const right = await query.scalar(expr.right, frame);
  const [calculate, compare] = [arithmetic[expr.op], comparisons[expr.op]];
  for (let i = 0; i < left.length; i++) {
    const [a, b] = [left[i] as number, right[i] as number];
    left[i] = calculate === undefined ? Number(compare?.(a, b)) : calculate(a, b);
  }
  return left;
}

/** Between a vector and a scalar; a comparison keeps the vector's value, whichever side it stands on. */
async function streamScaled(query: Query, expr: Binary, frame: Frame, swapped: boolean, visit: Visit): Promise<void> {
  const [vector, scalar] = swapped ? [expr.right, expr.left] : [expr.left, expr.right];
  const scalars = await query.scalar(scalar, frame);
  const change = openChange(expr, scalars, swapped);
  if (arithmetic[expr.op] === undefined && !expr.returnBool) {
    return await query.stream(vector, frame, (draft) => {
      change(draft);
      if (!isEmpty(draft)) visit(draft);
    });
  }
  const source = (take: Visit) =>
    query.stream(vector, frame, (draft) => {
      change(draft);
      dropName(query, draft);
      take(draft);
    });
  await streamRenamed(query, vector, frame, source, visit);
}

function openChange(expr: Binary, scalars: Float64Array, swapped: boolean): (draft: Draft) => void {
  const [calculate, compare] = [arithmetic[expr.op], comparisons[expr.op]];
  return ({ values, present }) => {
    for (let i = 0; i < values.length; i++) {
      if (present[i] === 0) continue;
      const [value, scalar] = [values[i] as number, scalars[i] as number];
      const [left, right] = swapped ? [scalar, value] : [value, scalar];
      if (calculate !== undefined) values[i] = calculate(left, right);
      else {
        const holds = compare?.(left, right) === true;
        if (expr.returnBool) values[i] = holds ? 1 : 0;
        else if (!holds) present[i] = 0;
      }
    }
  };
}
