const unitsMs = {
  y: 365 * 86_400_000,
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
} as const;

type Unit = keyof typeof unitsMs;

const units = Object.keys(unitsMs) as Unit[];

/** About 292 years, which is what Prometheus can hold. */
export const longestMs = 9_223_372_036_854;

export type ReadDuration =
  | { readonly kind: "duration"; readonly ms: number }
  | { readonly kind: "bad"; readonly words: string; readonly hint: string };

/** Reads `1h30m` and its like: whole numbers with a unit each, the greatest first, no unit twice. */
export function readDuration(text: string): ReadDuration {
  let ms = 0;
  let last = -1;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|[ywdhms])/g)) {
    const rank = units.indexOf(unit as Unit);
    if (rank <= last) {
      const words =
        rank === last ? `the unit ${unit} stands twice in ${text}` : `the units of ${text} are out of order`;
      return { kind: "bad", words, hint: "Write each unit once, the greatest first, as in 1d12h30m." };
    }
    last = rank;
    ms += Number(digits) * unitsMs[unit as Unit];
  }
  if (ms <= longestMs) return { kind: "duration", ms };
  return { kind: "bad", words: `${text} is too long a time`, hint: "A duration is at most about 292 years." };
}

/** The shortest way to write whole milliseconds; `0s` for none. Years and weeks only when nothing is left over. */
export function printDuration(ms: number): string {
  if (ms < 0) return `-${printDuration(-ms)}`;
  if (ms === 0) return "0s";
  let text = "";
  let rest = ms;
  for (const unit of units) {
    const size = unitsMs[unit];
    if ((unit === "y" || unit === "w") && rest % size !== 0) continue;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
