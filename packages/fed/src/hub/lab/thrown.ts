import { fileURLToPath } from "node:url";
import { inspect, types } from "node:util";
import type { Diagnostic } from "@fed/lab";
import { Wrong } from "./answer.ts";

const text = (value: unknown) => (typeof value === "string" ? value : "");

/** What a lab threw, whatever it is, in words and with its place. Never throws. */
export function explainThrown(thrown: unknown, within: string): Diagnostic {
  try {
    if (thrown instanceof Wrong) return withPlace(thrown.diagnostic, placeInStack(text(thrown.stack), within));
    if (types.isNativeError(thrown)) return explainError(thrown, within);
    const shown = inspect(thrown, { depth: 1, customInspect: false, breakLength: Number.POSITIVE_INFINITY });
    return wrong("thrown", `The lab threw ${shown.slice(0, 500)}.`, "Throw an Error: it says where it comes from.");
  } catch {
    return wrong("thrown", "The lab threw something that cannot be shown.", "Throw an Error.");
  }
}

/** The lab's file was evaluated, and its default export is this. */
export function explainNoLab(value: unknown): Wrong {
  const hint = "End it with: export default defineLab({ … });";
  if (value === undefined) return new Wrong("no-lab", "The file has no default export, so there is no lab.", hint);
  if (types.isPromise(value)) {
    return new Wrong("no-lab", "The file exports a promise, not a lab.", "Put await before it: export default await …");
  }
  if (typeof value === "function") return new Wrong("no-lab", "The file exports a function, not a lab.", hint);
  const what = typeof value === "object" && value !== null ? "something that defineLab did not make" : typeof value;
  return new Wrong("no-lab", `The file exports ${what}, not a lab.`, hint);
}

/** The process had nothing left to do, and the file was not done. */
export function explainNoEnd(): Diagnostic {
  const hint = "Look at each await: the promise behind it is never kept.";
  return wrong("ended-early", "The lab waits for something that cannot come.", hint);
}

function explainError(error: Error, within: string): Diagnostic {
  const code = text((error as NodeJS.ErrnoException).code);
  const stack = text(error.stack);
  const at = placeOfSyntax(stack) ?? placeInStack(stack, within);
  const message = text(error.message);
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return withPlace(explainUnerasable(message), at);
  if (error instanceof SyntaxError && placeInStack(stack, within) === undefined) {
    return withPlace(wrong("syntax", `The lab is not valid TypeScript: ${message}.`), at);
  }
  if (code === "ERR_ACCESS_DENIED") {
    return withPlace(wrong("denied", `The lab did what a lab may not do: ${message}`, "A lab is data."), at);
  }
  if (error instanceof RangeError && /Array buffer allocation failed|Invalid (typed )?array length/i.test(message)) {
    return withPlace(wrong("memory-limit", "The lab wants more memory than a lab may use.", "Make it smaller."), at);
  }
  if (error instanceof ReferenceError) {
    const hint = "A lab has the language's own names, console, URL and timers, and what it imports.";
    return withPlace(wrong("thrown", `${message}.`, hint), at);
  }
  return withPlace(wrong("thrown", `The lab threw ${text(error.name) || "an error"}: ${message}`), at);
}

/** `TypeScript enum is not supported in strip-only mode`, for people. */
function explainUnerasable(message: string): Diagnostic {
  const what = /^(?:TypeScript )?(.*?) (?:is|are) not supported in strip-only mode/.exec(message)?.[1];
  return wrong(
    "syntax",
    what === undefined
      ? `The lab has TypeScript that cannot be run as it is: ${message}.`
      : `A lab cannot have ${article(what)}.`,
    "Only types that can be erased: no enum, no namespace, no parameter property, no decorator. A union of texts does for an enum.",
  );
}

function article(noun: string): string {
  if (/s$/.test(noun)) return noun;
  return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function wrong(code: Diagnostic["code"], message: string, hint?: string): Diagnostic {
  return { code, severity: "error", path: "", message, ...(hint === undefined ? {} : { hint }) };
}

function withPlace(diagnostic: Diagnostic, at: Diagnostic["at"]): Diagnostic {
  return diagnostic.at !== undefined || at === undefined ? diagnostic : { ...diagnostic, at };
}

/**
 * A syntax error's place, as Node puts it before the stack: `<file>:<line>`, the source, carets below the mistake. The
 * same shape is on stderr when Node ends by such an error.
 */
export function placeOfSyntax(stack: string): Diagnostic["at"] {
  const match = /^(.+):(\d+)\n(?:[^\n]*\n)*?( *|[ \t]*)\^+\n/.exec(stack);
  if (match === null) return undefined;
  const [, file = "", line, indent = ""] = match;
  return { file: toPath(file), line: Number(line), column: indent.length + 1 };
}

/** The innermost frame in a file of the lab. */
function placeInStack(stack: string, within: string): Diagnostic["at"] {
  for (const frame of stack.split("\n")) {
    const match = /^ {4}at .*?(file:\/\/.*):(\d+):(\d+)\)?$/.exec(frame);
    if (match === null) continue;
    const file = toPath(match[1] ?? "");
    if (file.startsWith(within)) return { file, line: Number(match[2]), column: Number(match[3]) };
  }
  return undefined;
}

function toPath(address: string): string {
  return address.startsWith("file://") ? fileURLToPath(address) : address;
}
