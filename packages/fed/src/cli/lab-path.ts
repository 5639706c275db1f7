import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ArgSpecs } from "./command.ts";
import type { Env } from "./env.ts";

/** The argument of every command that reads a lab: `args: { ...labArg }`. */
export const labArg = {
  lab: {
    kind: "file",
    optional: true,
    description: "A lab file, or a folder with a lab.ts (./lab.ts when left out, else the starter lab)",
  },
} as const satisfies ArgSpecs;

export interface LabPath {
  /** Absolute; a file or a folder. Whether it can be read is found out by loading it. */
  readonly path: string;
  /** How it was found: the person named it, it lies in the folder they are in, or it is the example that comes with fed. */
  readonly from: "argument" | "folder" | "starter";
}

/** Which lab is meant. */
export function labPath(args: { readonly lab: string | undefined }, env: Env): LabPath {
  if (args.lab !== undefined) return { path: args.lab, from: "argument" };
  const here = join(env.cwd, "lab.ts");
  if (existsSync(here)) return { path: here, from: "folder" };
  return { path: join(env.installation, "examples/starter/lab.ts"), from: "starter" };
}
