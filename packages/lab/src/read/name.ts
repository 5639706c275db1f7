/** What things may be called. Names become labels, host names and file names, so they are DNS labels. */

import { reservedEnvironmentNames } from "../per-environment.ts";
import { type Read, report } from "./cursor.ts";

const dnsLabel = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The name a person may have meant: lower case, other signs as dashes. */
function asLabel(word: string): string | undefined {
  const label = word
    .slice(0, 63)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return dnsLabel.test(label) ? label : undefined;
}

/** A lower-case letter, then letters, digits and dashes, 63 characters at most. */
export function label(what: string): Read<string> {
  return (value, at) => {
    if (typeof value === "string" && dnsLabel.test(value)) return value;
    const word = String(value);
    const better = asLabel(word);
    return report(
      at,
      "bad-name",
      `${JSON.stringify(word.slice(0, 80))} cannot be the name of ${what}: a name has lower-case letters, digits and dashes, begins with a letter and has 63 characters at most.`,
      better === undefined ? undefined : `Call it "${better}".`,
    );
  };
}

export const environmentName: Read<string> = (value, at) => {
  if (typeof value === "string" && reservedEnvironmentNames.includes(value)) {
    const hint = "Call it otherwise; it would be ambiguous as a key of a map by environment.";
    return report(at, "reserved-name", `An environment cannot be called "${value}".`, hint);
  }
  return label("an environment")(value, at);
};

const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** A name a process's environment can hold: letters, digits and underscores. */
export function variable(what: string): Read<string> {
  return (value, at) => {
    if (typeof value === "string" && identifier.test(value)) return value;
    const word = String(value);
    const better = word.replace(/[^A-Za-z0-9_]+/g, "_");
    return report(
      at,
      "bad-name",
      `${JSON.stringify(word.slice(0, 80))} cannot be the name of ${what}: it has letters, digits and underscores and does not begin with a digit.`,
      identifier.test(better) ? `Call it "${better}".` : undefined,
    );
  };
}
