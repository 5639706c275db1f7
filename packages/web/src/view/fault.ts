import { type Problem, problemShape } from "@fed/fed/wire/problem.ts";

export type FaultCode = Problem["code"];

/** A fault as people see it. */
export interface ShownFault {
  readonly code: FaultCode;
  /** What kind of bad news this is, in a few words. */
  readonly title: string;
  readonly message: string;
  readonly hint: string | undefined;
}

const titles: Readonly<Record<FaultCode, string>> = {
  invalid: "That is not valid",
  missing: "That is not there",
  conflict: "Something else was faster",
  unauthenticated: "You are not signed in",
  denied: "You may not do that",
  limited: "That was too often",
  unreachable: "The hub cannot be reached",
  timeout: "That took too long",
  unsupported: "That is not supported here",
  internal: "Something broke in fed",
};

/** Anything thrown, as people see it; what is no Fault is a defect of ours. */
export function readFault(thrown: unknown): ShownFault {
  const { code, message, hint } = (typeof thrown === "object" && thrown !== null ? thrown : {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly hint?: unknown;
  };
  const known = problemShape.shape.code.safeParse(code);
  const text = typeof message === "string" && message !== "" ? message : "an error without words";
  if (!known.success) {
    return { code: "internal", title: titles.internal, message: text, hint: "Load the page again." };
  }
  return {
    code: known.data,
    title: titles[known.data],
    message: text,
    hint: typeof hint === "string" && hint !== "" ? hint : undefined,
  };
}

/** As a sentence: messages of faults begin small and end bare, because commands put their name before them. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
