/** Walking a lab the way the checks do: every service in every environment it runs in. */

import type { Path } from "../diagnostic.ts";
import type { LabDocument, RunDocument, ServiceDocument } from "../document.ts";
import { keyIn, valueIn } from "../per-environment.ts";
import { environmentsOf } from "../resolve.ts";

export interface Placement {
  readonly name: string;
  readonly service: ServiceDocument;
  readonly environment: string;
  /** Undefined when the map of `run` has nothing for this environment (a mistake of its own). */
  readonly run: RunDocument | undefined;
}

export function* eachPlacement(lab: LabDocument): Generator<Placement> {
  for (const [name, service] of Object.entries(lab.services)) {
    for (const environment of environmentsOf(lab, name)) {
      yield { name, service, environment, run: valueIn(service.run, environment) };
    }
  }
}

/** The path of the value that holds in this environment: `services.blog.port`, or `services.blog.port.prod`. */
export function pathOf(value: unknown, path: Path, environment: string): Path {
  const key = keyIn(value, environment);
  return key === undefined ? path : [...path, key];
}

/** Keeps the first of findings that say the same, so that three environments do not make three diagnostics. */
export function oncePer<T>(key: (item: T) => string): (item: T) => boolean {
  const seen = new Set<string>();
  return (item) => {
    const before = seen.size;
    return seen.add(key(item)).size > before;
  };
}

/** `a`, `a and b`, `a, b and c`. */
export function listWords(words: readonly string[]): string {
  const last = words[words.length - 1] ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
