import { Fault } from "#base/fault.ts";
import { type ExpositionFormat, readExposition } from "#engine/exposition/text.ts";

/** Some lines of a text of samples. */
export interface TextPart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the whole, from 1. */
  readonly firstLine: number;
  readonly lines: number;
}

/** What the hub takes at a time is four times as much. */
const usualPartBytes = 2 * 2 ** 20;
const mostLineBytes = 2 ** 20;
const newline = 10;

/**
 * The text in parts of whole lines. Where a line says `# EOF`, a part ends and the line is left out: several dumps, one after the other,
 * are one text. Fault `invalid` for a line without end.
 */
export async function* cutText(
  input: AsyncIterable<Uint8Array | string>,
  partBytes = usualPartBytes,
): AsyncGenerator<TextPart> {
  let rest: readonly Buffer[] = [];
  let [restBytes, line] = [0, 1];
  const take = function* (data: Buffer): Generator<TextPart> {
    for (const part of dumpsOf(data, line)) yield part;
    line += countLines(data);
  };
  for await (const chunk of input) {
    const data =
      typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    rest = [...rest, data];
    restBytes += data.length;
    if (restBytes < partBytes) continue;
    const whole = Buffer.concat(rest);
    const end = whole.lastIndexOf(newline) + 1;
    if (whole.length - end > mostLineBytes) throw endlessLine(line + countLines(whole.subarray(0, end)));
    yield* take(whole.subarray(0, end));
    rest = [whole.subarray(end)];
    restBytes = whole.length - end;
  }
  if (restBytes > 0) yield* take(Buffer.concat(rest));
}

function* dumpsOf(data: Buffer, firstLine: number): Generator<TextPart> {
  let [begin, line] = [0, firstLine];
  for (let at = 0; at < data.length; ) {
    const found = data.indexOf(newline, at);
    const next = found < 0 ? data.length : found + 1;
    if (data[at] === 35 && /^# EOF\s*$/.test(data.toString("utf8", at, Math.min(next, at + 10)))) {
      if (at > begin) yield partOf(data.subarray(begin, at), line);
      line += countLines(data.subarray(begin, next));
      begin = next;
    }
    at = next;
  }
  if (begin < data.length) yield partOf(data.subarray(begin), line);
}

function partOf(data: Buffer, firstLine: number): TextPart {
  return { bytes: new Uint8Array(data), firstLine, lines: countLines(data) };
}

/** The last one counts without its end, too. */
function countLines(data: Buffer): number {
  let count = 0;
  for (let at = data.indexOf(newline); at >= 0; at = data.indexOf(newline, at + 1)) count++;
  return data.length > 0 && data.at(-1) !== newline ? count + 1 : count;
}

function endlessLine(line: number): Fault {
  return new Fault("invalid", `line ${line} is longer than ${mostLineBytes / 1024} KiB`, {
    hint: "Give a text of samples, a line for each; a compressed file by way of zcat.",
  });
}

/** Seconds reach it in the year 5138, milliseconds have passed it in 1973. */
const mostSeconds = 1e11;

/** By the first time in it: OpenMetrics has seconds, the older format has milliseconds. Undefined when no line has a time. */
export function guessFormat({ bytes }: TextPart): ExpositionFormat | undefined {
  let seconds: number | undefined;
  readExposition(new TextDecoder().decode(bytes), "openmetrics", {
    sample(_series, _value, timeMs) {
      if (timeMs !== undefined) seconds ??= timeMs / 1000;
    },
    mistake() {},
  });
  return seconds === undefined ? undefined : Math.abs(seconds) < mostSeconds ? "openmetrics" : "text";
}
