/**
 * What a `.dockerignore` leaves out, by the rules of Docker's own reader (moby/patternmatcher): globs from the context's root, `**` over
 * folders, `!` to take back, the last that matches decides; what is said of a folder holds for all below it.
 */
import { Fault } from "#base/fault.ts";

/** Which patterns matched a folder; hand it on to what is in it. */
export type IgnoreState = readonly boolean[];

export interface IgnoreVerdict {
  readonly ignored: boolean;
  /** Of an ignored folder: nothing below it can be taken back, so nobody has to look. */
  readonly whole: boolean;
  readonly state: IgnoreState;
}

export interface IgnoreRules {
  /** Of a path from the root, with `/`. `above` is the state of its folder; nothing for what lies in the root. */
  judge(path: string, above: IgnoreState | undefined): IgnoreVerdict;
}

interface Pattern {
  readonly takesBack: boolean;
  readonly matches: (path: string) => boolean;
  /** Up to its first wildcard. */
  readonly literal: string;
}

/** `from` is what the file is called in messages. Fault `invalid` for a pattern that is none. */
export function readIgnore(text: string, from: string): IgnoreRules {
  const patterns = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .flatMap((line, index) => readLine(line, `${from}:${index + 1}`));
  return {
    judge(path, above) {
      let ignored = false;
      const state = patterns.map((pattern, index) => {
        const matched = above?.[index] === true || (pattern.takesBack === ignored && pattern.matches(path));
        if (matched) ignored = !pattern.takesBack;
        return matched;
      });
      const inside = `${path}/`;
      const whole = ignored && !patterns.some((one) => one.takesBack && mayMatchBelow(one.literal, inside));
      return { ignored, whole, state };
    },
  };
}

/** Whether a path that begins so may lie in that folder. */
function mayMatchBelow(literal: string, folder: string): boolean {
  return literal.startsWith(folder) || folder.startsWith(literal);
}

function readLine(line: string, place: string): readonly Pattern[] {
  if (line.startsWith("#")) return [];
  const trimmed = line.trim();
  const takesBack = trimmed.startsWith("!");
  const given = (takesBack ? trimmed.slice(1) : trimmed).trim();
  if (given === "" && !takesBack) return [];
  const glob = cleanPath(given);
  const nothing = given === "" || (takesBack && glob === "" && given.startsWith("/"));
  const matches = nothing ? undefined : compile(glob);
  if (matches === undefined)
    throw new Fault("invalid", `${place}: ${JSON.stringify(trimmed)} is no pattern`, {
      hint: "Close each [ and let no line end in a backslash or be a lone !.",
    });
  return [{ takesBack, matches, literal: /^[^*?[\\]*/.exec(glob)?.[0] ?? "" }];
}

/** As Go's filepath.Clean, from the root: no empty part, no `.`, `..` taken up. */
function cleanPath(given: string): string {
  const parts: string[] = [];
  for (const part of given.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !given.startsWith("/")) parts.push(part);
  }
  return parts.join("/");
}

function compile(glob: string): ((path: string) => boolean) | undefined {
  // `**x` is any path that ends in it, also in the middle of a name; with wildcards behind it `**` stands for whole folders.
  const ending = /^\*\*(\/?)([^*?[\]\\]*)$/.exec(glob);
  if (ending) {
    const [, slash = "", rest = ""] = ending;
    if (rest === "") return () => true;
    return (path) => path.endsWith(slash + rest) || path === rest;
  }
  const source = toRegExp([...glob]);
  try {
    const expression = source === undefined ? undefined : new RegExp(`^${source}$`, "su");
    return expression && ((path) => expression.test(path));
  } catch {
    return undefined;
  }
}

/** Undefined when it is malformed. */
function toRegExp(signs: readonly string[]): string | undefined {
  let source = "";
  for (let at = 0; at < signs.length; at++) {
    const sign = signs[at] ?? "";
    if (sign === "*" && signs[at + 1] === "*") {
      at += signs[at + 2] === "/" ? 2 : 1;
      source += at + 1 >= signs.length ? ".*" : "(?:.*/)?";
    } else if (sign === "*") source += "[^/]*";
    else if (sign === "?") source += "[^/]";
    else if (sign === "[") {
      const set = readSet(signs, at + 1);
      if (set === undefined) return undefined;
      source += set.source;
      at = set.end;
    } else if (sign === "\\") {
      const next = signs[++at];
      if (next === undefined) return undefined;
      source += quote(next);
    } else source += quote(sign);
  }
  return source;
}

/** What stands between [ and ], from behind the first; `end` is the place of the last. */
function readSet(
  signs: readonly string[],
  from: number,
): { readonly source: string; readonly end: number } | undefined {
  const negated = signs[from] === "^";
  let at = negated ? from + 1 : from;
  let source = "";
  const one = (): string | undefined => {
    const sign = signs[at++];
    if (sign === undefined || sign === "-" || sign === "]") return undefined;
    if (sign !== "\\") return quoteInSet(sign);
    const next = signs[at++];
    return next === undefined ? undefined : quoteInSet(next);
  };
  do {
    const low = one();
    if (low === undefined) return undefined;
    source += low;
    if (signs[at] !== "-") continue;
    at++;
    const high = one();
    if (high === undefined) return undefined;
    source += `-${high}`;
  } while (signs[at] !== "]");
  return { source: negated ? `[^${source}]` : `[${source}]`, end: at };
}

const quote = (sign: string) => (/[\\^$.*+?()[\]{}|/]/.test(sign) ? `\\${sign}` : sign);
const quoteInSet = (sign: string) => (/[\\^\-[\]]/.test(sign) ? `\\${sign}` : sign);
