import { statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#base/fault.ts";
import type { ArgSpecs } from "./command.ts";
import type { Env } from "./env.ts";
import { fileFault } from "./file-fault.ts";

/** The argument of every command that reads a lab: `args: { ...labArg }`. */
export const labArg = {
  lab: {
    kind: "file",
    optional: true,
    description: "A lab file, or a folder with a lab.ts (./lab.ts when left out, else the starter lab)",
  },
} as const satisfies ArgSpecs;

export interface LabPath {
  /** Absolute. */
  readonly path: string;
  /** How it was found: the person named it, it lies in the folder they are in, or it is the example that comes with fed. */
  readonly from: "argument" | "folder" | "starter";
}

/** Which lab is meant. Fault `missing` when there is none at the path that was named. */
export function labPath(args: { readonly lab: string | undefined }, env: Env): LabPath {
  if (args.lab !== undefined) return { path: fileAt(args.lab), from: "argument" };
  const here = join(env.cwd, "lab.ts");
  if (kindOf(here) === "file") return { path: here, from: "folder" };
  return { path: fileAt(join(env.installation, "examples/starter/lab.ts")), from: "starter" };
}

function fileAt(path: string): string {
  const kind = kindOf(path);
  if (kind === "file") return path;
  if (kind === "folder") return fileAt(join(path, "lab.ts"));
  if (kind === "other") {
    throw new Fault("invalid", `${path} is neither a file nor a folder`, { hint: "name a lab file such as lab.ts" });
  }
  throw new Fault("missing", `there is no lab at ${path}`, {
    hint: "name a lab file, or begin a new one: fed init my-lab",
  });
}

function kindOf(path: string): "file" | "folder" | "other" | "none" {
  try {
    const stat = statSync(path);
    return stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "other";
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return "none";
    throw fileFault(thrown, "look at", path);
  }
}
