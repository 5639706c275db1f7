import type { Diagnostic, DiagnosticCode } from "@fed/lab";
import { z } from "zod";
import type { Ending } from "./child.ts";
import { placeOfSyntax } from "./thrown.ts";

/** What the child came to: a document still to be checked, or what is wrong. */
export type Outcome =
  | { readonly kind: "document"; readonly document: unknown }
  | { readonly kind: "wrong"; readonly diagnostics: readonly Diagnostic[] };

export interface Limits {
  readonly timeLimitMs: number;
  readonly memoryLimitMiB: number;
  readonly answerLimitBytes: number;
}

const mostDiagnostics = 1_000;
const words = z.string().transform((text) => text.slice(0, 2_000));
const count = z.number().int().min(1).max(1e9);
const diagnosticShape = z.object({
  code: z.custom<DiagnosticCode>((value) => typeof value === "string" && /^[a-z-]{1,40}$/.test(value)),
  severity: z.enum(["error", "warning"]),
  path: words,
  message: words,
  hint: words.exactOptional(),
  at: z.object({ file: words, line: count, column: count }).exactOptional(),
});
const fileShape = z.object({ file: z.string().max(4096) });
const outcomeShape = z.union([
  z.object({ kind: z.literal("document"), document: z.unknown() }),
  z.object({ kind: z.literal("wrong"), diagnostics: z.array(diagnosticShape).min(1) }),
]);

/** The files the child named, of those that lie in the lab's folder. */
export function filesOf(ending: Ending, within: string): readonly string[] {
  const named = ending.lines.flatMap((line) => fileShape.safeParse(line).data?.file ?? []);
  return named.filter((file) => file.startsWith(within) && !file.split("/").includes(".."));
}

/** What an ending means. */
export function readEnding(ending: Ending, limits: Limits): Outcome {
  const last = outcomeShape.safeParse(ending.lines.at(-1)).data;
  if (last?.kind === "document") return last;
  if (last === undefined) return { kind: "wrong", diagnostics: [explainEnd(ending, limits)] };
  const diagnostics = last.diagnostics.slice(0, mostDiagnostics);
  const [first] = diagnostics;
  // Node alone knows where V8 found a mistake of syntax, and says so on stderr.
  const at = first?.code === "syntax" ? (first.at ?? placeOfSyntax(ending.stderr)) : undefined;
  return { kind: "wrong", diagnostics: first && at ? [{ ...first, at }, ...diagnostics.slice(1)] : diagnostics };
}

/** Why there is no answer. */
function explainEnd(ending: Ending, limits: Limits): Diagnostic {
  const { timeLimitMs, memoryLimitMiB, answerLimitBytes } = limits;
  const wrong = (code: DiagnosticCode, message: string, hint: string): Diagnostic => ({
    ...{ code, severity: "error", path: "", message, hint },
  });
  if (ending.limit === "time" || ending.signal === "SIGXCPU") {
    const hint = "Look for a loop that does not end, or a wait for something that does not come.";
    return wrong("time-limit", `The lab was not done after ${timeLimitMs / 1000} s, so it was ended.`, hint);
  }
  if (ending.limit === "answer") {
    const limit = `${answerLimitBytes / 2 ** 20} MiB`;
    return wrong("too-large", `The lab is larger than ${limit} when written as JSON.`, "Make it smaller.");
  }
  if (/out of memory|allocation failed|cannot allocate memory|SetPermissions/i.test(ending.stderr)) {
    const hint = "Look for a list or text that grows without end.";
    return wrong("memory-limit", `The lab used more than ${memoryLimitMiB} MiB of memory, so it was ended.`, hint);
  }
  if (ending.lines.length > 0 && ending.signal === null) {
    return wrong("bad-document", "What the lab gave back is no lab.", "Let the file export what defineLab returns.");
  }
  const how = ending.signal === null ? `exit code ${ending.exitCode}` : `signal ${ending.signal}`;
  const hint = "When the lab looks harmless, that is a defect of fed: please report it.";
  return wrong("ended-early", `The process that evaluates the lab ended before the lab was done (${how}).`, hint);
}
