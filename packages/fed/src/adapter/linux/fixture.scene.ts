import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Reading } from "#port/collector.ts";
import { makeLinuxCollector } from "./collector.ts";

/** The mark of all recorded ticks. */
const fixtureMark = "fixture0fixture0";
const folder = join(import.meta.dirname, "fixture");

/** Names of the systems of which whole ticks were recorded, as the program says them. */
export function systems(): readonly string[] {
  return readdirSync(folder)
    .map((file) => file.replace(/\.txt$/, ""))
    .filter((name) => fixtureBytes(name).includes(`\n${fixtureMark} tick `));
}

export function fixtureBytes(name: string): Buffer {
  return readFileSync(join(folder, `${name}.txt`));
}

export interface ToldTick {
  readonly machineMs: number;
  /** By name and labels as Prometheus writes them. */
  readonly samples: ReadonlyMap<string, number>;
  readonly reading: Reading;
}

/** What the bytes of a machine come to, tick by tick. */
export function tellBytes(bytes: Uint8Array): readonly ToldTick[] {
  const collector = makeLinuxCollector();
  const reading = collector.openReading();
  return collector
    .openTicks(fixtureMark)
    .push(bytes)
    .map((tick) => {
      const samples = new Map<string, number>();
      const told = reading(tick, (metric, value, labels = {}) => {
        const words = Object.entries(labels).map(([name, text]) => `${name}=${JSON.stringify(text)}`);
        const key = words.length === 0 ? metric : `${metric}{${words.join(",")}}`;
        if (samples.has(key)) throw new Error(`told twice in one tick: ${key}`);
        samples.set(key, value);
      });
      return { machineMs: tick.machineMs, samples, reading: told };
    });
}
