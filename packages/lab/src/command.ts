/** A command line in one string, split into an argv the way a shell quotes, but without a shell. */

export type SplitCommand =
  | { readonly kind: "argv"; readonly argv: readonly string[] }
  /** `message` says what is wrong; `hint` what to write instead. */
  | { readonly kind: "shell" | "broken"; readonly message: string; readonly hint: string };

const shellHint = 'No shell runs it. Put quotes around it if it is meant as it is, or write ["sh", "-c", "…"].';

/** Characters that only a shell would give a meaning, outside quotes. */
const operators = new Set("|&;<>()`$*\n");

function shellMeaning(text: string, at: number): SplitCommand {
  const operator = /^(?:\|\||&&|>>|<<|\$\(|\$\{?\w+\}?|.|\n)/.exec(text.slice(at))?.[0] ?? "";
  const shown = operator === "\n" ? "a line break" : operator;
  return { kind: "shell", message: `The command has ${shown}, which only a shell understands.`, hint: shellHint };
}

function unclosed(quote: string): SplitCommand {
  const name = quote === '"' ? "double" : "single";
  return { kind: "broken", message: `The command has a ${name} quote that is never closed.`, hint: "Close it." };
}

/** A word that begins at `at`; quotes and backslashes taken off. */
type Word =
  | { readonly kind: "word"; readonly word: string; readonly end: number }
  | Exclude<SplitCommand, { kind: "argv" }>;

function asFailure(split: SplitCommand): Word {
  return split.kind === "argv" ? { kind: "broken", message: "The command is broken.", hint: shellHint } : split;
}

function readDoubleQuoted(text: string, start: number): Word {
  let word = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === '"') return { kind: "word", word, end: at + 1 };
    if (char === "$" || char === "`") return asFailure(shellMeaning(text, at));
    if (char === "\\" && '"\\$`'.includes(text[at + 1] ?? " ")) at++;
    word += text[at] ?? "";
  }
  return asFailure(unclosed('"'));
}

function readWord(text: string, start: number): Word {
  let word = "";
  let at = start;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === " " || char === "\t") break;
    if (char === "'") {
      const close = text.indexOf("'", at + 1);
      if (close < 0) return asFailure(unclosed("'"));
      word += text.slice(at + 1, close);
      at = close + 1;
    } else if (char === '"') {
      const quoted = readDoubleQuoted(text, at);
      if (quoted.kind !== "word") return quoted;
      word += quoted.word;
      at = quoted.end;
    } else if (char === "\\") {
      if (at + 1 >= text.length) {
        return {
          kind: "broken",
          message: "The command ends in a backslash.",
          hint: "Take it away, or write it twice.",
        };
      }
      word += text[at + 1] ?? "";
      at += 2;
    } else if (operators.has(char) || ((char === "~" || char === "#") && at === start)) {
      return asFailure(shellMeaning(text, at));
    } else {
      word += char;
      at++;
    }
  }
  return { kind: "word", word, end: at };
}

/**
 * Splits `node server.js "two words"` into its argv. Single quotes keep everything; in double quotes a backslash
 * escapes `"`, `\`, `$` and a backtick; outside quotes it escapes any character. What a shell would interpret
 * (`|`, `&&`, `;`, `>`, `$VAR`, `*`, a word that begins with `~` or `#`, `NAME=value` in front) is refused, never guessed.
 */
export function splitCommand(text: string): SplitCommand {
  if (text.includes("\0")) return { kind: "broken", message: "The command has a zero byte.", hint: "Take it away." };
  const argv: string[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === " " || char === "\t") {
      at++;
      continue;
    }
    if (argv.length === 0 && /^[A-Za-z_]\w*=/.test(text.slice(at, at + 200))) {
      const message = "The command begins by setting a variable, which only a shell understands.";
      return { kind: "shell", message, hint: "Set it under `env` of the service." };
    }
    const read = readWord(text, at);
    if (read.kind !== "word") return read;
    argv.push(read.word);
    at = read.end;
  }
  if (argv[0] === undefined || argv[0] === "") {
    return { kind: "broken", message: "The command names no program.", hint: 'Write it, as in "node server.js".' };
  }
  return { kind: "argv", argv };
}

/** The inverse of `splitCommand`: one line that splits into exactly this argv, and that a shell reads the same way. */
export function joinCommand(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
