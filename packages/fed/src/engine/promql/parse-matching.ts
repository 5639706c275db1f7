import { type Cursor, expectOp, isKeyword, isOp, peek, take, unexpected } from "./cursor.ts";
import { readLabels } from "./parse-labels.ts";
import { problemFault } from "./problem.ts";
import type { Token } from "./token.ts";

/** What stands between a binary operator and what is on its right. */
export interface Modifiers {
  readonly bool?: Token;
  readonly matching?: { readonly token: Token; readonly on: boolean; readonly labels: readonly string[] };
  readonly group?: { readonly token: Token; readonly side: "left" | "right"; readonly include: readonly string[] };
  readonly fill?: { readonly token: Token; readonly left?: number; readonly right?: number };
}

export function readMatching(cursor: Cursor): Modifiers {
  const bool = isKeyword(peek(cursor), "bool") ? take(cursor) : undefined;
  const matching = readOn(cursor);
  const group = readGroup(cursor, matching !== undefined);
  const fill = readFill(cursor);
  const late = peek(cursor);
  if (isKeyword(late, "bool") && (matching !== undefined || bool !== undefined)) {
    throw problemFault(cursor.query, late, "`bool` stands once, right behind the operator");
  }
  if (isKeyword(late, "on") || isKeyword(late, "ignoring")) {
    throw problemFault(cursor.query, late, "`on` or `ignoring` stands once, before `group_left` and `fill`");
  }
  return { ...(bool && { bool }), ...(matching && { matching }), ...(group && { group }), ...(fill && { fill }) };
}

function readOn(cursor: Cursor): Modifiers["matching"] {
  const token = peek(cursor);
  const on = isKeyword(token, "on");
  if (!on && !isKeyword(token, "ignoring")) return undefined;
  take(cursor);
  return { token, on, labels: readLabels(cursor, token) };
}

function readGroup(cursor: Cursor, matched: boolean): Modifiers["group"] {
  const token = peek(cursor);
  const side = isKeyword(token, "group_left") ? "left" : isKeyword(token, "group_right") ? "right" : undefined;
  if (side === undefined) return undefined;
  if (!matched) {
    const hint = `Say what to match by: on (instance) ${token.text} (…), or ignoring (…) ${token.text}.`;
    throw problemFault(cursor.query, token, `\`${token.text}\` needs \`on\` or \`ignoring\` before it`, { hint });
  }
  take(cursor);
  return { token, side, include: isOp(peek(cursor), "(") ? readLabels(cursor, token) : [] };
}

/** `fill`, `fill_left`, `fill_right`: words like any other when no parenthesis follows. */
function readFill(cursor: Cursor): Modifiers["fill"] {
  const token = peek(cursor);
  let left: number | undefined;
  let right: number | undefined;
  for (;;) {
    const next = peek(cursor);
    const both = isKeyword(next, "fill");
    const onLeft = both || isKeyword(next, "fill_left");
    const onRight = both || isKeyword(next, "fill_right");
    if ((!onLeft && !onRight) || !isOp(peek(cursor, 1), "(")) break;
    if ((onLeft && left !== undefined) || (onRight && right !== undefined)) {
      throw problemFault(cursor.query, next, `\`${next.text}\` says again what is filled in`);
    }
    take(cursor);
    const value = readFillValue(cursor);
    if (onLeft) left = value;
    if (onRight) right = value;
  }
  if (left === undefined && right === undefined) return undefined;
  return { token, ...(left !== undefined && { left }), ...(right !== undefined && { right }) };
}

function readFillValue(cursor: Cursor): number {
  take(cursor);
  const sign = isOp(peek(cursor), "-") || isOp(peek(cursor), "+") ? take(cursor).text : "+";
  const token = peek(cursor);
  const value = numberOf(token);
  if (value === undefined) throw unexpected(cursor, "a number to fill in", "It is a plain number: fill (0).");
  take(cursor);
  expectOp(cursor, ")", "`)` after the number to fill in");
  return sign === "-" ? -value : value;
}

function numberOf(token: Token): number | undefined {
  if (token.kind === "number") return token.value;
  if (token.kind === "duration") return token.value / 1000;
  if (isKeyword(token, "inf")) return Number.POSITIVE_INFINITY;
  return isKeyword(token, "nan") ? Number.NaN : undefined;
}
