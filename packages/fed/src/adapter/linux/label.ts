import { copyText } from "#base/word-pool.ts";
import { ownText } from "./shown.ts";

/**
 * Labels of one name or more, made once and handed out again: the same object for the same values, whichever machine says them, as long
 * as they are few.
 */
export type Labels = Readonly<Record<string, string>>;

/** A machine whose values never stop being new is not remembered for ever. */
const limit = 5_000;
/** Those of long values are made anew each time. */
const longestKey = 300;

/** `labelled("device")` gives a function from a device to its labels. */
export function labelled(name: string): (value: string) => Labels {
  const known = new Map<string, Labels>();
  return (value) => known.get(value) ?? keep(known, value, [name], [value]);
}

/** The same for several names; the values are in their order. */
export function labelledBy(...names: readonly string[]): (...values: readonly string[]) => Labels {
  const known = new Map<string, Labels>();
  return (...values) => {
    const key = values.join("\0");
    return known.get(key) ?? keep(known, key, names, values);
  };
}

function keep(known: Map<string, Labels>, key: string, names: readonly string[], values: readonly string[]): Labels {
  const labels = Object.fromEntries(names.map((name, i) => [name, ownText(values[i] ?? "")]));
  if (key.length > longestKey) return labels;
  const [oldest] = known.size >= limit ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  // A slice as a key would keep the text that it was cut from.
  known.set(copyText(key), labels);
  return labels;
}
