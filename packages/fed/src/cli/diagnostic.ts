import { relative } from "node:path";
import type { WireDiagnostic } from "#wire/diagnostic.ts";
import type { Screen, Style } from "./print.ts";

const styles: Record<WireDiagnostic["severity"], Style> = { error: "bad", warning: "warn" };

/** What is wrong with a lab, for people: `lab.ts:12:9 error services.blog.needs[0]: …`, the hint below, a count at the end. */
export function showDiagnostics(screen: Screen, diagnostics: readonly WireDiagnostic[], cwd: string): void {
  for (const { severity, at, path, message, hint } of diagnostics) {
    const place =
      at === undefined ? "" : `${nearPath(at.file, cwd)}:${at.line}${at.column === undefined ? "" : `:${at.column}`} `;
    const subject = path === "" ? "" : `${path}: `;
    screen.line({ text: place, style: "accent" }, { text: severity, style: styles[severity] }, ` ${subject}${message}`);
    if (hint !== undefined) screen.line(`  ${hint}`);
  }
  if (diagnostics.length > 0) screen.line(countOf(diagnostics));
}

/** `2 errors, 1 warning`. */
function countOf(diagnostics: readonly WireDiagnostic[]): string {
  const counts = (["error", "warning"] as const).map((severity) => {
    const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    return count === 0 ? "" : `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return counts.filter((count) => count !== "").join(", ");
}

/** Relative when it lies below the folder the person is in. */
export function nearPath(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near === "" || near.startsWith("..") ? path : near;
}
