import { accept, type Cursor, expectOp, isOp, peek, take, unexpected } from "./cursor.ts";
import { problemFault } from "./problem.ts";
import type { Token } from "./token.ts";

/** Reads names of labels between parentheses, as behind `by`; `keyword` is the one before them. */
export function readLabels(cursor: Cursor, keyword: Token): string[] {
  const name = keyword.text.toLowerCase();
  expectOp(cursor, "(", `\`(\` after \`${name}\``, `Labels stand between parentheses: ${name} (job, instance).`);
  const labels: string[] = [];
  while (!accept(cursor, ")")) {
    labels.push(readLabel(cursor));
    if (isOp(peek(cursor), ")")) continue;
    const hint = name.startsWith("group_") ? `Labels to take over come first, if only (): ${name} () (…).` : undefined;
    expectOp(cursor, ",", `\`,\` or \`)\` among the labels of \`${name}\``, hint);
  }
  return labels;
}

function readLabel(cursor: Cursor): string {
  const token = peek(cursor);
  if (token.kind === "string") return readQuotedName(cursor, "label");
  if (token.kind !== "word") throw unexpected(cursor, "the name of a label", hintOfLabel(token));
  if (/:|^(?:inf|nan)$/i.test(token.text)) {
    const hint = `Put it between quotes: "${token.text}".`;
    throw problemFault(cursor.query, token, `${token.text} is no name of a label`, { hint });
  }
  take(cursor);
  return token.text;
}

function hintOfLabel(token: Token): string | undefined {
  if (isOp(token, "{") || isOp(token, "(")) return "Only names of labels stand here, such as job, instance.";
  return undefined;
}

/** A name between quotes, which may be of any characters. */
export function readQuotedName(cursor: Cursor, what: "label" | "metric"): string {
  const token = peek(cursor);
  if (token.kind !== "string") throw unexpected(cursor, `the name of a ${what}`);
  if (token.value === "") throw problemFault(cursor.query, token, `the name of a ${what} is empty`);
  if (!token.value.isWellFormed()) {
    throw problemFault(cursor.query, token, `${token.text} is no name of a ${what}`, {
      hint: "A name is valid UTF-8.",
    });
  }
  take(cursor);
  return token.value;
}
