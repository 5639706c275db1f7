import { RE2JS, RE2JSException } from "re2js";
import { Fault } from "#base/fault.ts";

/** A regular expression of RE2 that must match a whole value; `.` matches a newline. Takes time linear in the value. */
export interface Pattern {
  test(value: string): boolean;
  /** What the groups matched, the whole value first; undefined when the value does not match. */
  groups(value: string): readonly (string | undefined)[] | undefined;
  /** Numbers of the groups that have a name. */
  readonly names: Readonly<Record<string, number>>;
}

/** Fault `invalid` when it is no regular expression, in RE2's words. */
export function compilePattern(text: string): Pattern {
  const compiled = compileRe2(text);
  return {
    test: (value) => compiled.matches(value),
    groups(value) {
      const matcher = compiled.matcher(value);
      if (!matcher.matches()) return undefined;
      return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined);
    },
    names: compiled.namedGroups(),
  };
}

function compileRe2(text: string): RE2JS {
  try {
    return RE2JS.compile(text, RE2JS.DOTALL);
  } catch (thrown) {
    if (!(thrown instanceof RE2JSException)) throw thrown;
    throw new Fault("invalid", thrown.message.replace("`(?s)", "`"), {
      hint: "Regular expressions are RE2's: without look-around and back-references. They match the whole value.",
      cause: thrown,
    });
  }
}
