/** Labels of one name or two, made once and handed out again: the same object for the same values, as long as they are few. */
export type Labels = Readonly<Record<string, string>>;

/** A machine whose values never stop being new is not remembered for ever. */
const limit = 4000;

/** `labelled("device")` gives a function from a device to its labels. */
export function labelled(name: string): (value: string) => Labels {
  const known = new Map<string, Labels>();
  return (value) => known.get(value) ?? keep(known, value, { [name]: value });
}

/** The same for several names; the values are in their order. */
export function labelledBy(...names: readonly string[]): (...values: readonly string[]) => Labels {
  const known = new Map<string, Labels>();
  return (...values) => {
    const key = values.join("\0");
    return known.get(key) ?? keep(known, key, Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""])));
  };
}

function keep(known: Map<string, Labels>, key: string, labels: Labels): Labels {
  if (known.size >= limit) known.clear();
  known.set(key, labels);
  return labels;
}
