import { Fault } from "#base/fault.ts";
import { Interrupted } from "./interrupted.ts";

/** Questions to a person at a terminal. Asked on stderr, so that stdout stays what was asked for. */

/** Where people type; process.stdin, or a stream in tests. */
export interface Typed extends NodeJS.ReadableStream {
  readonly isTTY?: boolean | undefined;
  readonly readableEnded: boolean;
  /** Letters come one by one, nothing is shown, and Ctrl-C is a letter. */
  setRawMode?(on: boolean): unknown;
  unshift(text: string): void;
}

export interface Terminal {
  readonly input: Typed;
  readonly output: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
}

const own = (): Terminal => ({ input: process.stdin, output: process.stderr });

/** Longer than anything that is asked for. */
const answerLimit = 10_000;

/** Fault `invalid` with this hint when nobody sits there. */
export function requirePerson(hint: string, { input, output }: Terminal = own()): void {
  if (input.isTTY && output.isTTY) return;
  throw new Fault("invalid", "there is nobody to ask: this is no terminal", { hint });
}

/**
 * The answer without blanks around it. The terminal itself lets the line be edited and shows it. Rejects with the
 * signal's reason (Ctrl-C is one), and with Fault `invalid` when the input ends (Ctrl-D).
 */
export async function askLine(question: string, signal: AbortSignal, terminal: Terminal = own()): Promise<string> {
  let answer = "";
  await readKeys(question, signal, terminal, (text) => {
    const { line, rest } = cutLine(text);
    answer += line;
    return rest;
  });
  return answer.trim();
}

/** True for y or yes; anything else is no. */
export async function confirm(question: string, signal: AbortSignal, terminal: Terminal = own()): Promise<boolean> {
  return /^y(es)?$/i.test(await askLine(`${question} [y/N] `, signal, terminal));
}

/**
 * Nothing of what is typed is shown; afterwards the terminal shows again what is typed, however this ends. Rejects as
 * `askLine` does, and with `Interrupted` on Ctrl-C.
 */
export async function askSecret(question: string, signal: AbortSignal, terminal: Terminal = own()): Promise<string> {
  const { input, output } = terminal;
  let keys = "";
  input.setRawMode?.(true);
  try {
    await readKeys(question, signal, terminal, (text) => {
      const { line, rest } = cutLine(text);
      keys += line;
      // All of them each time: a sequence may come in pieces.
      lineOf(keys);
      return rest;
    });
  } finally {
    input.setRawMode?.(false);
    output.write("\n");
  }
  return lineOf(keys);
}

/** All of stdin, without its last newline. Fault `invalid` at a terminal: it would show what is typed. */
export function readPassword(input: Typed = process.stdin): Promise<string> {
  return readPiped({ what: "password", flag: "--password-stdin", limit: answerLimit }, input);
}

/** The same for anything; `flag` is what asks for it. `asIs`: with its last newline. */
export async function readPiped(
  { what, flag, limit, asIs = false }: { what: string; flag: string; limit: number; asIs?: boolean },
  input: Typed = process.stdin,
): Promise<string> {
  if (input.isTTY) {
    throw new Fault("invalid", `${flag} reads from a pipe or a file, and stdin is a terminal`, {
      hint: `Pipe the ${what} in, or leave ${flag} out.`,
    });
  }
  let text = "";
  for await (const chunk of input.setEncoding("utf8")) {
    text += chunk;
    if (text.length > limit) throw new Fault("invalid", `what comes on stdin is too long for a ${what}`);
  }
  const answer = text.replace(/\r?\n$/, "");
  if (answer !== "") return asIs ? text : answer;
  throw new Fault("invalid", `no ${what} came on stdin`, {
    hint: "Look at what the command before the pipe prints.",
  });
}

/** Hands on what is typed until `take` gives back a rest: what was typed ahead, for whoever reads next. */
function readKeys(
  question: string,
  signal: AbortSignal,
  { input, output }: Terminal,
  take: (text: string) => string | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let taken = 0;
  const onData = (chunk: string | Buffer) => {
    try {
      taken += chunk.length;
      if (taken > answerLimit) throw new Fault("invalid", "the answer is too long");
      const rest = take(String(chunk));
      if (rest === undefined) return;
      input.pause();
      input.off("data", onData);
      if (rest !== "") input.unshift(rest);
      resolve();
    } catch (thrown) {
      reject(thrown);
    }
  };
  const onEnd = () => reject(endedEarly());
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else if (input.readableEnded) onEnd();
  else {
    output.write(question);
    signal.addEventListener("abort", onAbort, { once: true });
    // A terminal that is gone ends with an error.
    input.on("end", onEnd).on("error", onEnd).setEncoding("utf8").on("data", onData).resume();
  }
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    input.off("data", onData).off("end", onEnd).off("error", onEnd).pause();
  });
}

/** What belongs to this line, and what follows it; no rest while the line has not ended. */
function cutLine(text: string): { readonly line: string; readonly rest: string | undefined } {
  const end = /\r\n?|\n/.exec(text);
  if (end === null) return { line: text, rest: undefined };
  return { line: text.slice(0, end.index), rest: text.slice(end.index + end[0].length) };
}

/** What these keys make of an empty line, as a terminal's own line editing has it; in raw mode nobody else knows them. */
function lineOf(keys: string): string {
  let typed = "";
  for (const letter of keys.replaceAll(escapeSequence, "")) {
    if (letter === "\u0003") throw new Interrupted("Ctrl-C", 130);
    if (letter === "\u0004" && typed === "") throw endedEarly();
    if (letter === "\u007f" || letter === "\b") typed = [...typed].slice(0, -1).join("");
    else if (letter === "\u0015") typed = "";
    else if (letter >= " ") typed += letter;
  }
  return typed;
}

const esc = String.fromCharCode(27);
/** What arrows and their like send. */
const escapeSequence = new RegExp(`${esc}(?:\\[[0-?]*[ -/]*[@-~]|O[A-DFHP-S])`, "g");

function endedEarly(): Fault {
  return new Fault("invalid", "the input ended before there was an answer", { hint: "Nothing was changed." });
}
