/**
 * The files that all sections of files read, as one `head -n 99999 FILE FILE…` tells them: before each a line `==> PATH <==`, and an empty
 * line between two. Kernels' files have no such lines.
 */
const header = /(?:^|\n)==> (\/[^\n]*) <==\n/g;

/** Path to content; without those that are not there. */
export type FileTexts = ReadonlyMap<string, string>;

export function readFiles(text: string): FileTexts {
  const files = new Map<string, string>();
  let path: string | undefined;
  let begin = 0;
  for (const found of text.matchAll(header)) {
    if (path !== undefined) files.set(path, text.slice(begin, found.index));
    path = found[1];
    begin = found.index + found[0].length;
  }
  if (path !== undefined) files.set(path, text.slice(begin));
  return files;
}

/** The same files as text, for the section that reads them. */
export function writeFiles(files: FileTexts): string {
  return [...files].map(([path, text]) => `==> ${path} <==\n${text}`).join("\n");
}

/** Whether a path is one of these, of which some are globs with `*` and `[…]`, in which no star stands for a slash. */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const parts = patterns.map((pattern) =>
    pattern.replace(/\*|\[[^\]]*\]|[^*[]+/g, (part) =>
      part === "*" ? "[^/]*" : part.startsWith("[") ? part : part.replace(/[.+?^${}()|\\]/g, "\\$&"),
    ),
  );
  const whole = new RegExp(`^(?:${parts.join("|")})$`);
  return (path) => whole.test(path);
}
