import type { Span } from "./ast.ts";

/**
 * A piece of a query. Keywords are words: whether `sum` is an aggregation, a metric or a label is for who reads the tokens
 * to say. What cannot be read is an `error`, so that an earlier mistake is told first.
 */
export type Token = Span &
  (
    | { readonly kind: "word" | "op" | "end"; readonly text: string }
    | { readonly kind: "number"; readonly text: string; readonly value: number }
    /** `value` in milliseconds. */
    | { readonly kind: "duration"; readonly text: string; readonly value: number }
    | { readonly kind: "string"; readonly text: string; readonly value: string }
    | { readonly kind: "error"; readonly text: string; readonly words: string; readonly hint?: string | undefined }
  );

/** A token in words, for a message. */
export function describeToken(token: Token): string {
  if (token.kind === "end") return "the end of the query";
  const text = token.text.length > 30 ? `${token.text.slice(0, 29)}…` : token.text;
  if (token.kind === "op" || token.kind === "word") return `\`${text}\``;
  return `the ${token.kind} ${text}`;
}
