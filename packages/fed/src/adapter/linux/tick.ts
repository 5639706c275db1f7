import { Fault } from "#base/fault.ts";
import type { RawSection, RawTick, TickReader } from "#port/collector.ts";
import { openHeap } from "./heap.ts";

/** Of one section; what is beyond is dropped while the tick goes on. */
export const sectionBytes = 256 * 1024;
/** Of the files of all sections of files. */
const filesBytes = 1024 * 1024;
/** Of a whole tick, what is dropped included. */
export const tickBytes = 2 * 1024 * 1024;
/** What a machine may say outside of ticks: a greeting, say. */
const noiseBytes = 64 * 1024;
const lineBytes = 200;
const sectionCount = 64;

/** What a section's bytes become: one section, or several where the program says several at once. */
export type SplitSection = (section: RawSection) => readonly RawSection[];

interface OpenTick {
  readonly sequence: number;
  readonly machineMs: number;
  readonly sections: RawSection[];
  /** How many it told, before they were split. */
  told: number;
  bytes: number;
}

/** What stands between marks, and what the marks say: ticks, one after the other. */
interface Frame {
  take(bytes: Buffer): void;
  /** A line behind a mark; a tick when this ends one. */
  takeLine(line: string): RawTick | undefined;
  forget(): void;
}

function openFrame(split: SplitSection, keptBytes: number): Frame {
  const heap = openHeap(keptBytes);
  let tick: OpenTick | undefined;
  let lastSequence = -1;
  let noise = 0;

  function take(bytes: Buffer): void {
    if (tick === undefined) {
      noise += bytes.length;
      if (noise > noiseBytes) throw nonsense("more than 64 KiB outside of a tick");
      return;
    }
    tick.bytes += bytes.length;
    if (tick.bytes > tickBytes) throw nonsense("a tick of more than 2 MiB");
    heap.add(bytes);
  }

  function takeLine(line: string): RawTick | undefined {
    const [word, ...rest] = line.split(" ");
    if (word === "tick" && tick === undefined) tick = beginTick(rest, lastSequence);
    else if (word === "section" && tick !== undefined) takeSection(tick, rest);
    else if (word === "end" && rest[0] === String(tick?.sequence)) return endTick();
    else throw nonsense("marks in a wrong order");
    return undefined;
  }

  function takeSection(into: OpenTick, [name = "", code = ""]: readonly string[]): void {
    into.told++;
    if (into.told > sectionCount || !/^[a-z]{1,40}$/.test(name) || !/^\d{1,3}$/.test(code)) {
      throw nonsense("a section that cannot be");
    }
    const { text, cut } = heap.take();
    into.sections.push(...split({ name, text, code: Number(code), cut }));
  }

  function endTick(): RawTick | undefined {
    if (tick === undefined) return undefined;
    const { sequence, machineMs, sections } = tick;
    lastSequence = sequence;
    tick = undefined;
    noise = 0;
    heap.rest();
    return { sequence, machineMs, sections };
  }

  return { take, takeLine, forget: () => heap.rest() };
}

export function openTicks(mark: string, split: SplitSection, keptBytes: number = filesBytes): TickReader {
  // What lives long has memory of its own: in Node's pool it would keep the 64 KiB that it is a part of, for each machine.
  const needle = Buffer.alloc(mark.length + 2, `\n${mark} `);
  const frame = openFrame(split, keptBytes);
  let carry: Buffer = Buffer.alloc(0);
  let broken: Fault | undefined;

  /** Everything up to what may yet become a mark. */
  function read(bytes: Uint8Array, ticks: RawTick[]): void {
    const data = carry.length === 0 ? viewOf(bytes) : Buffer.concat([carry, bytes]);
    let at = 0;
    for (;;) {
      const found = data.indexOf(needle, at);
      const end = found < 0 ? -1 : data.indexOf(10, found + needle.length);
      if (found >= 0 && (end < 0 ? data.length : end) - found > lineBytes) throw nonsense("an endless line");
      const until = found >= 0 ? found : Math.max(at, data.length - needle.length + 1);
      frame.take(data.subarray(at, until));
      if (end < 0) {
        carry = viewOf(new Uint8Array(data.subarray(until)));
        return;
      }
      const whole = frame.takeLine(data.toString("latin1", found + needle.length, end));
      if (whole !== undefined) ticks.push(whole);
      at = end + 1;
    }
  }

  return {
    push(bytes) {
      if (broken !== undefined) throw broken;
      const ticks: RawTick[] = [];
      try {
        read(bytes, ticks);
      } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        broken = thrown;
        carry = Buffer.alloc(0);
        frame.forget();
        // What came whole before is told; the Fault comes with the next bytes.
        if (ticks.length === 0) throw thrown;
      }
      return ticks;
    },
  };
}

function beginTick(words: readonly string[], lastSequence: number): OpenTick {
  const [sequenceWord = "", wall = "", upThen = "", upNow = ""] = words;
  const sequence = /^\d{1,15}$/.test(sequenceWord) ? Number(sequenceWord) : -1;
  if (sequence <= lastSequence) throw nonsense("ticks in a wrong order");
  const [whole = "", fraction = ""] = wall.split(".");
  // A `date` that knows no nanoseconds leaves a word behind the point.
  const seconds = /^\d{1,11}$/.test(whole) ? Number(/^\d{1,9}$/.test(fraction) ? wall : whole) : undefined;
  const passed = uptime(upNow) - uptime(upThen);
  if (seconds === undefined || !Number.isFinite(passed)) throw nonsense("a tick without a time");
  const machineMs = Math.round((seconds + passed) * 1000);
  return { sequence, machineMs, sections: [], told: 0, bytes: 0 };
}

function uptime(word: string): number {
  return /^\d{1,12}(\.\d{1,9})?$/.test(word) ? Number(word) : Number.NaN;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function nonsense(what: string): Fault {
  return new Fault("invalid", `the machine says what fed's program cannot say: ${what}`, {
    hint: "look whether something else writes to the output of its login shell, or whether somebody tampers with it",
  });
}
