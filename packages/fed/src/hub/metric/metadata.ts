import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "#base/clock.ts";
import { toFault } from "#base/fault.ts";
import type { Trace } from "#base/trace.ts";
import { readFileIfThere, writeFileAtomic } from "#disk/atomic-file.ts";
import { ensureFolder } from "#disk/folder.ts";
import type { MetricNote } from "#engine/exposition/text.ts";

/** What a metric says of itself. */
export interface Described {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** What metrics say of themselves, kept in a file. It is told again with every scrape, so a lost file mends itself. */
export interface Metadata {
  /** A short one (`shortNote`). */
  note(note: MetricNote): void;
  all(): Promise<ReadonlyMap<string, Described>>;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

export const mostDescribed = 10_000;
/** The first scrape tells hundreds at once. */
const writeAfterMs = 5_000;
const fileName = "metadata.json";

const fileShape = z.record(z.string(), z.object({ type: z.string(), help: z.string(), unit: z.string() }));

export function openMetadata({ folder, clock, trace }: { folder: string; clock: Clock; trace: Trace }): Metadata {
  const path = join(folder, fileName);
  const described = new Map<string, Described>();
  let written = true;
  let timer: { cancel(): void } | undefined;
  let writing: Promise<void> = Promise.resolve();
  let reading: Promise<void> | undefined;

  /** What was told since the start is newer than the file. */
  async function readOnce(): Promise<void> {
    reading ??= read(path, trace).then((before) => {
      for (const [name, one] of before) {
        if (!described.has(name) && described.size < mostDescribed) described.set(name, one);
      }
    });
    return reading;
  }

  function write(): void {
    timer?.cancel();
    timer = undefined;
    writing = writing.then(async () => {
      if (written) return;
      await readOnce();
      written = true;
      try {
        await ensureFolder(folder);
        await writeFileAtomic(path, JSON.stringify(Object.fromEntries(described)));
      } catch (thrown) {
        // The disk may be full: it is tried again with the next thing that is told.
        written = false;
        trace.warn("what metrics say of themselves is not written", { reason: toFault(thrown).message });
      }
    });
  }

  return {
    note({ about, metric, text }) {
      const before = described.get(metric);
      const kept = about === "type" && text === "untyped" ? "unknown" : text;
      if (before?.[about] === kept) return;
      if (before === undefined && described.size >= mostDescribed) return;
      described.set(metric, { ...(before ?? { type: "unknown", help: "", unit: "" }), [about]: kept });
      written = false;
      timer ??= clock.after(writeAfterMs, write);
    },
    async all() {
      await readOnce();
      return described;
    },
    async close() {
      write();
      await writing;
    },
  };
}

/** Nothing for a file that cannot be read: the next scrapes tell it again. */
async function read(path: string, trace: Trace): Promise<ReadonlyMap<string, Described>> {
  try {
    const text = await readFileIfThere(path);
    return text === undefined ? new Map() : new Map(Object.entries(fileShape.parse(JSON.parse(text))));
  } catch (thrown) {
    trace.warn("what metrics say of themselves is not read", { reason: toFault(thrown).message });
    return new Map();
  }
}
