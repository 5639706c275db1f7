/** What must be known of an SQL text before it runs: its parameters, and whether it is one statement. */

/** Texts, quoted names and comments, in which nothing counts; then a parameter. */
const tokens =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([:@$?])([\p{L}\p{N}_]*)/gu;

/** Names of the parameters, each once; those that are not `:name` come with their mark, as `?1` does. */
export function parameterNames(text: string): readonly string[] {
  const names = new Set<string>();
  for (const [, mark, name] of text.matchAll(tokens)) {
    if (mark !== undefined) names.add(mark === ":" ? `${name}` : `${mark}${name}`);
  }
  return [...names];
}

/** Whether nothing but blanks, semicolons and comments is in it. */
export function isIdle(text: string): boolean {
  return /^[\s;]*$/.test(text.replaceAll(/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, ""));
}
