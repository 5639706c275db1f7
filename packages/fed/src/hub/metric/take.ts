import { uncompress } from "snappyjs";
import { Fault } from "#base/fault.ts";
import { addRow, cutRows, type Rows, rowsOf } from "#engine/exposition/rows.ts";
import { isMistake, readSeries } from "#engine/exposition/series-text.ts";
import type { ExpositionFormat, MetricNote } from "#engine/exposition/text.ts";
import { openTextReader } from "#engine/exposition/text-memory.ts";
import { openWriteReader } from "#engine/exposition/write-memory.ts";
import { type Labels, labelsKey } from "#engine/series/labels.ts";
import { nameOf } from "#engine/tsdb/block.ts";

/** Samples on their way into the store. */
export interface Taken {
  readonly labels: Labels[];
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Of a text: on which line each sample stands. */
  readonly lines: readonly number[];
  /** What could not be read: how often, and the first in words. */
  readonly mistakes: { readonly count: number; readonly words: readonly string[] };
}

/** Reads samples; a series that was read before is the same object again, by which the store knows it at once. */
export interface Taker {
  /** A packed request of remote write 1.0. */
  write(packed: Uint8Array): Taken;
  /** An exposition; `timeMs` for lines without a time of their own, which are mistakes when it is undefined. */
  text(text: string, format: ExpositionFormat, timeMs: number | undefined, firstLine?: number): Taken;
}

/** What a request may be unpacked: a few letters could stand for gigabytes. */
const unpackedBytes = 32 * 1024 * 1024;
const namedMistakes = 10;

export function makeTaker(needs: { change?(labels: Labels): Labels; note?(note: MetricNote): void } = {}): Taker {
  // One for all requests: each is read at once.
  const rows = rowsOf<Labels>();
  const note = needs.note ? { note: needs.note } : {};
  const readWrite = openWriteReader((labels: Labels) => labels);
  const readText = openTextReader<Labels>((series) => {
    const read = readSeries(series);
    if (isMistake(read)) return { wrong: read.message };
    return needs.change?.(read) ?? read;
  });
  return {
    write(packed) {
      const taken = gather(rows);
      readWrite(unpack(packed), {
        ...{ rows, ...note },
        histograms: () => taken.mistake("native histograms are not kept: let the sender leave them out"),
      });
      return taken.done();
    },
    text(text, format, timeMs, firstLine = 1) {
      const taken = gather(rows);
      const mistake = (line: number, words: string) => taken.mistake(`line ${line + firstLine - 1}: ${words}`);
      readText(text, format, {
        sample(labels, value, ownMs, line) {
          const time = ownMs ?? timeMs;
          if (time === undefined) return mistake(line, `${nameOf(labels).slice(0, 200)} has no time`);
          addRow(rows, labels, time, value);
          taken.lines.push(line + firstLine - 1);
        },
        ...{ ...note, mistake },
      });
      return taken.done();
    },
  };
}

function unpack(packed: Uint8Array): Uint8Array {
  try {
    return uncompress(new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength), unpackedBytes);
  } catch (cause) {
    throw new Fault("invalid", "the body is not packed by snappy's block format, or too large when unpacked", {
      hint: `Send at most ${unpackedBytes / 1024 / 1024} MiB at a time.`,
      cause,
    });
  }
}

function gather(rows: Rows<Labels>) {
  const mistakes = { count: 0, words: [] as string[] };
  const lines: number[] = [];
  cutRows(rows, 0);
  return {
    lines,
    mistake(words: string) {
      if (mistakes.count++ < namedMistakes) mistakes.words.push(words);
    },
    done(): Taken {
      const { of, times, values, count } = rows;
      rows.of = [];
      return { labels: of, times: times.slice(0, count), values: values.slice(0, count), lines, mistakes };
    },
  };
}

/** The series of the second that the first has not. */
export function goneFrom(now: readonly Labels[], before: readonly Labels[]): readonly Labels[] {
  const there = new Set(now.map(labelsKey));
  return before.filter((labels) => !there.has(labelsKey(labels)));
}
