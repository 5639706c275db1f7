import { Buffer } from "node:buffer";
import { writeSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { pathToFileURL } from "node:url";
import type * as Language from "@fed/lab";
import type { Answer, Line, Question } from "./answer.ts";
import { guardImports } from "./sources.ts";
import { removeSurroundings } from "./surroundings.ts";
import { explainNoEnd, explainNoLab, explainThrown } from "./thrown.ts";

/**
 * The child's entry: evaluates one lab without rights and answers on file descriptor 3. What answers is at hand before
 * the lab is; what the lab bends in this process harms only its own answer, which the parent does not trust.
 */
const question = JSON.parse(process.argv[2] ?? "") as Question;
const node = process;
const { setImmediate: nextTurn } = globalThis;
let answered = false;

const { LabError, isLab } = (await import(question.language)) as typeof Language;
stripTypeScriptTypes(""); // When first used it takes its tools from the global scope, which is about to lose them.
node.on("uncaughtException", refuse);
node.on("unhandledRejection", refuse);
node.on("exit", () => answer({ kind: "wrong", diagnostics: [explainNoEnd()] }));
setTimeout(() => node.exit(1), question.timeLimitMs + 1_000).unref();
guardImports(question, (file) => tell({ file }));
removeSurroundings(question.folder, makePrinter(question.printedLimitBytes));

// Not awaited here: Node ends this process when a lab waits for something that cannot come, and "exit" tells.
void evaluate().then(accept, refuse);

async function evaluate(): Promise<Language.LabDocument> {
  const { default: value } = (await import(pathToFileURL(question.file).href)) as { default?: unknown };
  // A promise that failed with nobody waiting for it is heard of before the next turn.
  await new Promise((resolve) => nextTurn(resolve));
  if (isLab(value)) return value;
  throw explainNoLab(value);
}

function accept(document: unknown): void {
  answer({ kind: "document", document });
  node.exit(0);
}

function refuse(thrown: unknown): void {
  const diagnostics = thrown instanceof LabError ? thrown.diagnostics : [explainThrown(thrown, question.within)];
  answer({ kind: "wrong", diagnostics });
  if (diagnostics[0]?.code !== "syntax" || diagnostics[0].at !== undefined) node.exit(1);
  // Only Node itself can say where, and does so when it ends by this error; the parent reads it from there.
  node.removeAllListeners("uncaughtException");
  nextTurn(() => {
    throw thrown;
  });
}

function answer(last: Answer): void {
  if (!answered) tell(last);
  answered = true;
}

function tell(line: Line): void {
  write(3, `${JSON.stringify(line)}\n`);
}

function write(descriptor: number, text: string): void {
  let left = Buffer.from(text);
  while (left.length > 0) left = left.subarray(writeSync(descriptor, left));
}

/** Writes what the lab prints, up to the limit. */
function makePrinter(limitBytes: number): (text: string) => void {
  let left = limitBytes;
  return (text) => {
    const part = text.slice(0, left);
    left -= part.length;
    write(1, part);
  };
}
