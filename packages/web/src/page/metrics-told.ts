import { api } from "@fed/fed/wire/api.ts";
import { useEffect, useState, useSyncExternalStore } from "react";
import { z } from "zod";
import { client } from "../hub.ts";
import { type Line, type RawAnswer, readInstant, readRange, readValue } from "./metrics-answer.ts";
import { type Ask, type Asked, makeAsker, type Told } from "./metrics-ask.ts";
import type { Grid } from "./metrics-range.ts";

/** More series than this say little; the rest is left out by the hub. */
const mostSeries = 2_000;

/** The envelope alone: hundreds of thousands of samples are checked where they become columns. */
const rawShape = z.object({
  data: z.object({ resultType: z.string(), result: z.unknown() }),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
});
const rawRange = { ...api.queryRange, output: rawShape };
const rawInstant = { ...api.query, output: rawShape };

const seconds = (ms: number) => String(ms / 1_000);

function askRaw(query: string, kind: Ask["kind"], grid: Grid, signal: AbortSignal): Promise<RawAnswer> {
  const asked = { query, limit: mostSeries };
  const range = { ...asked, start: seconds(grid.startMs), end: seconds(grid.endMs), step: seconds(grid.stepMs) };
  return kind === "range"
    ? client.call(rawRange, range, signal)
    : client.call(rawInstant, { ...asked, time: seconds(grid.endMs) }, signal);
}

/** The lines of one query over the steps of a grid. */
export async function askRange(query: string, grid: Grid, signal: AbortSignal): Promise<readonly Line[]> {
  return readRange(await askRaw(query, "range", grid, signal), grid).lines;
}

/** Its values at one moment, as lines of one. */
export async function askInstant(query: string, atMs: number, signal: AbortSignal): Promise<readonly Line[]> {
  const raw = await askRaw(query, "instant", { startMs: atMs, endMs: atMs, stepMs: 1_000 }, signal);
  return readInstant(raw, atMs).points.map(({ labels, text }) => ({
    labels,
    values: Float64Array.of(readValue(text)),
  }));
}

async function tell({ text, kind, grid }: Ask, signal: AbortSignal): Promise<Told> {
  const raw = await askRaw(text, kind, grid, signal);
  // The page stays awake between the reading of a great answer and the drawing of it.
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
  const answer = kind === "range" ? readRange(raw, grid) : readInstant(raw, grid.endMs);
  return { answer, warnings: raw.warnings ?? [], infos: raw.infos ?? [] };
}

/** What the hub says to each of these, by the letter of its row. */
export function useAsked(asks: readonly Ask[]): ReadonlyMap<string, Asked> {
  const [asker] = useState(() => makeAsker({ tell, nowMs: Date.now }));
  useEffect(() => asker.ask(asks), [asker, asks]);
  useEffect(() => () => asker.close(), [asker]);
  return useSyncExternalStore(asker.listen, asker.read);
}
