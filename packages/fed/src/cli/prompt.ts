import { createInterface } from "node:readline/promises";
import { Fault } from "#base/fault.ts";

/** Questions to a person at a terminal. Asked on stderr, so that stdout stays what was asked for. */

/** Fault `invalid` with this hint when nobody sits there. */
export function requirePerson(hint: string): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new Fault("invalid", "there is nobody to ask: this is no terminal", { hint });
}

/** The answer without blanks around it. */
export async function askLine(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question, { signal })).trim();
  } finally {
    lines.close();
  }
}

/** True for y or yes; anything else is no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(await askLine(`${question} [y/N] `, signal));
}

/** Nothing of what is typed is shown. */
export function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = () => {
      stdin.off("data", onData);
      signal.removeEventListener("abort", stop);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    };
    const stop = () => {
      end();
      reject(signal.reason);
    };
    const onData = (text: string) => {
      for (const letter of text) {
        if (letter === "\r" || letter === "\n") {
          end();
          return resolve(typed);
        }
        if (letter === "\u0003" || (letter === "\u0004" && typed === "")) {
          end();
          // In raw mode the terminal sends a letter instead of the signal.
          process.kill(process.pid, "SIGINT");
          return;
        }
        if (letter === "\u007f" || letter === "\b") typed = [...typed].slice(0, -1).join("");
        else if (letter === "\u0015") typed = "";
        else if (letter >= " ") typed += letter;
      }
    };
    signal.addEventListener("abort", stop, { once: true });
    stdin.setEncoding("utf8").setRawMode(true).on("data", onData).resume();
  });
}

/** All of stdin, without its last newline. */
export async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 10_000) throw new Fault("invalid", "what comes on stdin is too long for a password");
  }
  return text.replace(/\r?\n$/, "");
}
