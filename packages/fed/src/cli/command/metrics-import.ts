import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { addAbortSignal } from "node:stream";
import { systemClock } from "#base/clock.ts";
import { faultTable, isFault } from "#base/fault.ts";
import type { ExpositionFormat } from "#engine/exposition/text.ts";
import { api } from "#wire/api.ts";
import type { Imported } from "#wire/metric.ts";
import { defineCommand } from "../command.ts";
import { fileFault } from "../file-fault.ts";
import { openClient } from "../hub-client.ts";
import { hubFlags } from "../hub-flags.ts";
import type { Screen } from "../print.ts";
import { cutText, guessFormat } from "../sample-text.ts";
import { countText } from "../size.ts";

const formats = ["text", "openmetrics"] as const;
const types = { text: "text/plain", openmetrics: "application/openmetrics-text" } as const;
const namedReasons = 10;
/** Where nothing can be drawn, a line now and again says that it goes on. */
const noteEveryMs = 10_000;

export const command = defineCommand({
  args: { file: { kind: "file", description: "Samples as text, each with its time; - for stdin" } },
  flags: {
    ...hubFlags,
    format: {
      kind: "choice",
      of: formats,
      description: "Of times: text has milliseconds, openmetrics seconds; told by the first one when left out",
    },
  },
  details: [
    "Takes what promtool's dump and dump-openmetrics write, and any exposition whose lines have times, as old as the hub keeps.",
    "What is there already stays: the same sample again is no harm, another value at its time is refused.",
    "Ctrl-C keeps what was taken; give the same file again to go on. Ends with 2 when not all was taken.",
  ],
  examples: [
    { line: "fed metrics import old.om", says: "bring in what another Prometheus had" },
    {
      line: "promtool tsdb dump-openmetrics /var/lib/prometheus | fed metrics import -",
      says: "without a file between",
    },
    { line: "zcat old.txt.gz | fed metrics import - --json", says: "what became of it, as data" },
  ],
  async run({ args, flags, env, screen, signal }) {
    const client = await openClient(flags, env, signal);
    const file = args.file === join(env.cwd, "-") ? process.stdin : await openFile(args.file);
    const input = addAbortSignal(signal, file);
    const watch = watchImport(screen);
    let format: ExpositionFormat | undefined = formats.find((one) => one === flags.format);
    try {
      for await (const part of cutText(input)) {
        signal.throwIfAborted();
        format ??= guessFormat(part);
        const sent = { bytes: part.bytes, type: types[format ?? "text"] };
        watch.took(await client.send(api.importSamples, { line: part.firstLine }, sent, signal), part.lines);
      }
    } catch (thrown) {
      watch.stopped(thrown);
      throw thrown;
    }
    return watch.done();
  },
});

async function openFile(path: string) {
  try {
    if ((await stat(path)).isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
    return createReadStream(path, { highWaterMark: 2 ** 18 });
  } catch (thrown) {
    throw fileFault(thrown, "read", path);
  }
}

interface End {
  /** The text came to its end. */
  readonly complete: boolean;
  readonly lines: number;
  readonly added: number;
  readonly same: number;
  readonly refused: number;
  readonly seconds: number;
  readonly reasons: readonly string[];
}

function tellEnd(screen: Screen, end: End): void {
  const { added, same, refused, seconds, reasons } = end;
  if (screen.json) screen.data(end);
  const rate = Math.round((added + same) / Math.max(seconds, 1e-3)).toLocaleString("en");
  screen.line(
    `${countText(added, "sample")} taken, ${same.toLocaleString("en")} there already, `,
    { text: `${refused.toLocaleString("en")} refused`, style: refused > 0 ? "bad" : undefined },
    { text: `  (${seconds.toFixed(1)} s, ${rate} a second)`, style: "dim" },
  );
  for (const reason of reasons) screen.line({ text: "refused ", style: "bad" }, reason);
  if (refused > reasons.length) screen.line({ text: `… ${refused - reasons.length} more`, style: "dim" });
  if (!reasons.some((reason) => reason.endsWith(" has no time"))) return;
  const words = "each line needs a time: what is old would count as of now without one";
  screen.note({ text: "hint ", style: "accent" }, words);
}

/** Tells how it goes, and at the end what became of it. */
function watchImport(screen: Screen) {
  const total = { lines: 0, added: 0, same: 0, refused: 0 };
  const reasons: string[] = [];
  const beganMs = systemClock.tickMs();
  const live = screen.isTerminal ? screen.live() : undefined;
  let toldMs = beganMs;
  const seconds = () => (systemClock.tickMs() - beganMs) / 1000;
  const tell = (complete: boolean) => {
    live?.end();
    tellEnd(screen, { complete, ...total, seconds: seconds(), reasons });
  };
  return {
    took({ added, same, refused, reasons: more }: Imported, lines: number) {
      total.lines += lines;
      total.added += added;
      total.same += same;
      total.refused += refused;
      reasons.push(...more.slice(0, namedReasons - reasons.length));
      const rate = Math.round(total.lines / Math.max(seconds(), 1e-3));
      const cells = [total.lines, total.added, total.same, total.refused, rate].map((n) => n.toLocaleString("en"));
      const titles = ["LINES", "TAKEN", "THERE ALREADY", "REFUSED", "LINES/S"];
      if (live === undefined && systemClock.tickMs() - toldMs >= noteEveryMs) {
        toldMs = systemClock.tickMs();
        screen.note({
          text: `${cells[0]} lines so far, ${cells[1]} samples taken, ${cells[4]} lines a second`,
          style: "dim",
        });
      }
      live?.show({ columns: titles.map((title) => ({ title, align: "right" })), rows: [cells] });
    },
    /** When it ends before the text does. */
    stopped(thrown: unknown) {
      const isUnreadable = isFault(thrown) && thrown.code === "invalid";
      if (total.lines === 0 && isUnreadable) return;
      tell(false);
      const place = total.lines === 0 ? "before its first lines were through" : `after line ${total.lines}`;
      screen.note(
        { text: "stopped ", style: "warn" },
        `${place}; of those that were on their way, all or some may be there. Give the same text again: nothing is taken twice.`,
      );
    },
    done(): number {
      tell(true);
      return total.refused === 0 ? 0 : faultTable.invalid.exit;
    },
  };
}
