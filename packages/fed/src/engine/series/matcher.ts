import { type Labels, labelValue } from "./labels.ts";
import { compilePattern } from "./pattern.ts";

/** One condition of a selector on a label. Regular expressions are RE2's, anchored at both ends; `.` matches a newline. */
export interface Matcher {
  readonly name: string;
  readonly kind: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/** Whether a label's value ("" for a label that is not there) fulfils the condition. Fault `invalid` for a bad expression. */
export function compileMatcher({ kind, value }: Matcher): (value: string) => boolean {
  if (kind === "=") return (given) => given === value;
  if (kind === "!=") return (given) => given !== value;
  const test = compileRegex(value);
  return kind === "=~" ? test : (given) => !test(given);
}

/** Whether a series fulfils all of the conditions. */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return (labels) => tests.every(({ name, test }) => test(labelValue(labels, name)));
}

/** The values that alone can fulfil the condition, when the condition says so: for an index of values. */
export function onlyValues({ kind, value }: Matcher): readonly string[] | undefined {
  if (kind === "=") return [value];
  return kind === "=~" ? alternatives(value) : undefined;
}

/** Most expressions of dashboards are plain words, words with bars between, or a word with `.*` at an end. */
function compileRegex(text: string): (value: string) => boolean {
  const words = alternatives(text);
  if (words !== undefined) {
    const set = new Set(words);
    return (value) => set.has(value);
  }
  const [, head = "", core = "", tail = ""] = /^(\.[*+]\??)?(.*?)(\.[*+]\??)?$/s.exec(text) ?? [];
  const word = literal(core);
  if (word === undefined) return compilePattern(text).test;
  const least = word.length + (head[1] === "+" ? 1 : 0) + (tail[1] === "+" ? 1 : 0);
  if (word === "") return (value) => value.length >= least;
  if (head === "") return (value) => value.length >= least && value.startsWith(word);
  if (tail === "") return (value) => value.length >= least && value.endsWith(word);
  const [skip, rest] = [head[1] === "+" ? 1 : 0, tail[1] === "+" ? 1 : 0];
  return (value) => {
    const last = value.lastIndexOf(word, value.length - rest - word.length);
    return value.length >= least && last >= skip;
  };
}

/** `a|b|c`, with or without a group around it, as its words. */
function alternatives(text: string): readonly string[] | undefined {
  const inner = /^\((?:\?:)?([^()]*)\)$/.exec(text)?.[1] ?? text;
  if (/\\\|/.test(inner)) return undefined;
  const words = inner.split("|").map(literal);
  return words.every((word) => word !== undefined) ? words : undefined;
}

/** The one text that an expression without anything special matches. */
function literal(text: string): string | undefined {
  if (!/^(?:[^\\.+*?()|[\]{}^$]|\\[.+*?()|[\]{}^$/-])*$/su.test(text)) return undefined;
  return text.replaceAll(/\\(.)/gsu, "$1");
}
