import { Fault } from "#base/fault.ts";

/** The rule of the language for the name of a lab. */
const valid = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A valid name made from any text: `Mein Läb (2)` becomes `mein-lab-2`. */
export function labNameOf(text: string): string {
  const letters = text
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+/, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return letters === "" ? "lab" : letters;
}

export function checkLabName(text: string): string {
  if (valid.test(text)) return text;
  throw new Fault("invalid", `--name cannot be ${JSON.stringify(text)}`, {
    hint: `use lower-case letters, digits and hyphens, a letter first, at most 63 characters; such as ${labNameOf(text)}`,
  });
}
