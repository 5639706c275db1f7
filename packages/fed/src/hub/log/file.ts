import { createReadStream } from "node:fs";
import { appendFile, open, readFile, rename, rm, stat } from "node:fs/promises";
import { errorCode, fileFault } from "#disk/file-fault.ts";
import type { LogLine } from "#port/runtime.ts";

/**
 * A file of kept output: a line for each, its place in the runtime's words, a tab, and its text. Neither has a line's end, nor a place a
 * tab.
 */

/** At least so much of the end is kept, at most twice as much. */
const keptBytes = 10 * 1024 * 1024;
const chunkBytes = 256 * 1024;

/** Of this process: one who gives up may still tidy up while the next one writes the same file. */
let writings = 0;

/** Writes the lines to a file that is there as a whole or not at all; answers its size. */
export async function writeLines(
  path: string,
  lines: AsyncIterable<Pick<LogLine, "text" | "at">>,
  options: { readonly keptBytes?: number } = {},
): Promise<number> {
  const most = options.keptBytes ?? keptBytes;
  writings += 1;
  const [young, old] = [`${path}.${writings}.new`, `${path}.${writings}.old`];
  try {
    await rm(old, { force: true });
    let file = await open(young, "w", 0o600);
    let written = 0;
    let waiting: string[] = [];
    let waitingBytes = 0;
    const flush = async () => {
      await file.writeFile(waiting.join(""));
      written += waitingBytes;
      [waiting, waitingBytes] = [[], 0];
    };
    try {
      for await (const { text, at } of lines) {
        const line = `${at}\t${text}\n`;
        waiting.push(line);
        waitingBytes += Buffer.byteLength(line);
        if (waitingBytes < chunkBytes && written + waitingBytes < most) continue;
        await flush();
        if (written < most) continue;
        await file.close();
        await rename(young, old);
        file = await open(young, "w", 0o600);
        written = 0;
      }
      await flush();
    } finally {
      await file.close();
    }
    await joinParts(young, old, path);
    return (await stat(path)).size;
  } catch (thrown) {
    await Promise.all([rm(young, { force: true }), rm(old, { force: true })]).catch(() => undefined);
    // Who gives the lines has bad news of its own.
    throw errorCode(thrown) === undefined ? thrown : fileFault(thrown, "write", path);
  }
}

async function joinParts(young: string, old: string, path: string): Promise<void> {
  const hasOld = await stat(old).then(
    () => true,
    () => false,
  );
  if (!hasOld) return rename(young, path);
  await appendFile(old, await readFile(young));
  await rename(old, path);
  await rm(young);
}

export interface KeptLine {
  readonly text: string;
  readonly at: string;
}

/** The lines of the file, the last `tail` of them, or those behind `after`. None when there is no file. */
export async function* readLines(
  path: string,
  { tail, after }: { readonly tail?: number | undefined; readonly after?: string | undefined },
  signal: AbortSignal,
): AsyncIterable<KeptLine> {
  if (after === undefined && tail !== undefined) {
    yield* await lastLines(path, tail, signal);
    return;
  }
  let begun = after === undefined;
  for await (const line of allLines(path, signal)) {
    if (begun) yield line;
    else begun = line.at === after;
  }
}

async function lastLines(path: string, tail: number, signal: AbortSignal): Promise<readonly KeptLine[]> {
  if (tail === 0) return [];
  let lines: KeptLine[] = [];
  for await (const line of allLines(path, signal)) {
    lines.push(line);
    if (lines.length >= 2 * tail) lines = lines.slice(-tail);
  }
  return lines.slice(-tail);
}

async function* allLines(path: string, signal: AbortSignal): AsyncIterable<KeptLine> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: chunkBytes, signal })) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield lineOf(line);
    }
  } catch (thrown) {
    if (signal.aborted || errorCode(thrown) === "ENOENT") return;
    throw fileFault(thrown, "read", path);
  }
}

function lineOf(line: string): KeptLine {
  const tab = line.indexOf("\t");
  return { at: line.slice(0, tab), text: line.slice(tab + 1) };
}
