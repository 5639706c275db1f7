import { inspect } from "node:util";
import type { Fault } from "#base/fault.ts";
import type { Span } from "./table.ts";

/** The words of a fault, for people and as data. */

function hintOf(fault: Fault): string | undefined {
  if (fault.code !== "internal") return fault.hint;
  return fault.hint ?? "this is a defect in fed; FED_DEBUG=1 shows where";
}

/** `fed: what happened`, then the hint, indented; where it comes from only with `debug`. */
export function faultLines(fault: Fault, debug: boolean): readonly (readonly Span[])[] {
  const [first = "", ...rest] = fault.message.split("\n");
  const hint = hintOf(fault)?.split("\n") ?? [];
  const trace = debug ? traceOf(fault).split("\n") : [];
  return [
    [{ text: "fed: ", style: "bad" }, first],
    ...rest.map((line) => [`  ${line}`]),
    ...hint.map((line) => [`  ${line}`]),
    ...trace.map((line): readonly Span[] => [{ text: `  ${line}`, style: "dim" }]),
  ];
}

/** The fault as problem data. */
export function faultData(fault: Fault, debug: boolean): Readonly<Record<string, unknown>> {
  return {
    code: fault.code,
    message: fault.message,
    hint: hintOf(fault),
    details: fault.details,
    ...(debug ? { trace: traceOf(fault) } : {}),
  };
}

function traceOf(fault: Fault): string {
  const beneath = fault.cause === undefined ? "" : `\ncause: ${inspect(fault.cause, { depth: 4 })}`;
  return (fault.stack ?? fault.message) + beneath;
}
