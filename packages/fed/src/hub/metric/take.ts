import { uncompress } from "snappyjs";
import { Fault } from "#base/fault.ts";
import { readWriteRequest } from "#engine/exposition/remote-write.ts";
import { isMistake, readSeries } from "#engine/exposition/series-text.ts";
import { type ExpositionFormat, type MetricNote, readExposition } from "#engine/exposition/text.ts";
import { type Labels, labelsKey } from "#engine/series/labels.ts";

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
const mostKnown = 100_000;

export function makeTaker(needs: { change?(labels: Labels): Labels; note?(note: MetricNote): void } = {}): Taker {
  const known = new Map<string, Labels>();
  const knownAs = (key: string, read: () => Labels): Labels => {
    const before = known.get(key);
    if (before) return before;
    if (known.size >= mostKnown) known.clear();
    const labels = read();
    known.set(key, labels);
    return labels;
  };
  return {
    write(packed) {
      const taken = gather();
      readWriteRequest(unpack(packed), {
        series: (key, labels, times, values) => taken.column(knownAs(key, labels), times, values),
        ...(needs.note ? { note: needs.note } : {}),
        histograms: () => taken.mistake("native histograms are not kept: let the sender leave them out"),
      });
      return taken.done();
    },
    text(text, format, timeMs, firstLine = 1) {
      const taken = gather();
      const mistake = (line: number, words: string) => taken.mistake(`line ${line + firstLine - 1}: ${words}`);
      readExposition(text, format, {
        sample(series, value, ownMs, line) {
          const before = known.get(series);
          const read = before ?? readSeries(series);
          if (isMistake(read)) return mistake(line, `${series.slice(0, 200)}: ${read.message}`);
          const time = ownMs ?? timeMs;
          if (time === undefined) return mistake(line, `${series.slice(0, 200)} has no time`);
          const labels = before ?? knownAs(series, () => needs.change?.(read) ?? read);
          taken.column(labels, [time], [value]);
          taken.lines.push(line + firstLine - 1);
        },
        ...(needs.note ? { note: needs.note } : {}),
        mistake,
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

/** Columns as rows; values by their bits, because the marker of staleness is a NaN of its own. */
function gather() {
  const parts: { readonly labels: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> }[] =
    [];
  const mistakes = { count: 0, words: [] as string[] };
  const lines: number[] = [];
  let rows = 0;
  return {
    lines,
    column(labels: Labels, times: ArrayLike<number>, values: ArrayLike<number>) {
      parts.push({ labels, times, values });
      rows += times.length;
    },
    mistake(words: string) {
      if (mistakes.count++ < namedMistakes) mistakes.words.push(words);
    },
    done(): Taken {
      const labels: Labels[] = [];
      const [times, values] = [new Float64Array(rows), new Float64Array(rows)];
      for (const part of parts) {
        times.set(part.times, labels.length);
        values.set(part.values, labels.length);
        for (let i = 0; i < part.times.length; i++) labels.push(part.labels);
      }
      return { labels, times, values, lines, mistakes };
    },
  };
}

/** The series of the second that the first has not. */
export function goneFrom(now: readonly Labels[], before: readonly Labels[]): readonly Labels[] {
  const there = new Set(now.map(labelsKey));
  return before.filter((labels) => !there.has(labelsKey(labels)));
}
