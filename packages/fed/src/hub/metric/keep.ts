import { Fault } from "#base/fault.ts";
import type { MetricNote } from "#engine/exposition/text.ts";
import type { SampleStore } from "#engine/tsdb/remote.ts";
import { shortNote } from "./metric.ts";
import { makeTaker, type Taken } from "./take.ts";
import type { Kept, Sent } from "./thread-message.ts";

/** Reads what was sent and has it kept. When it returns, the samples taken are on the disk. */
export type Keep = (store: SampleStore, sent: Sent, tenant: string) => Promise<Kept>;

/** Remembers the series it has read, so one serves for many requests. */
export function makeKeep(): Keep {
  const told = new Map<string, string>();
  let notes: MetricNote[] = [];
  const taker = makeTaker({
    note(whole) {
      const note = shortNote(whole);
      if (note === undefined) return;
      const key = `${note.about} ${note.metric}`;
      if (told.get(key) === note.text) return;
      if (told.size >= mostTold) told.clear();
      told.set(key, note.text);
      notes.push(note);
    },
  });
  const read = (sent: Sent): Taken =>
    sent.kind === "write"
      ? taker.write(sent.bytes)
      : taker.text(readUtf8(sent.bytes), sent.format, sent.timeMs, sent.firstLine);
  return async (store, sent, tenant) => {
    notes = [];
    const { mistakes, lines, ...batch } = read(sent);
    const found = notes;
    // Who imports a text may bring any time; a sender that lags behind is told so.
    const how = sent.kind === "text" ? "backfill" : "append";
    const { added, same, refused, refusals } = await store[how](batch, tenant);
    const place = (row: number) => (lines.length > 0 ? `line ${lines[row]}: ` : "");
    const words = [...mistakes.words, ...refusals.map(({ message, row }) => `${place(row)}${message}`)];
    return { added, same, refused: refused + mistakes.count, words, notes: found };
  };
}

const mostTold = 20_000;

function readUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Fault("invalid", "the body is no UTF-8 text", { cause });
  }
}

/** What is read in two milliseconds or so. */
const littleBytes = 128 * 1024;

/** Whether reading it would keep nobody waiting. A packed request says at its beginning how long it is unpacked. */
export function isLittle({ kind, bytes }: Sent): boolean {
  if (bytes.length > littleBytes || kind === "text") return bytes.length <= littleBytes;
  let unpacked = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0;
    unpacked += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  return unpacked <= littleBytes;
}
