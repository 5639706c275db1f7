import { closeSync, openSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault, isFault } from "#base/fault.ts";

export interface Location {
  /** The lab's file and its folder, with no link on the way. */
  readonly file: string;
  readonly folder: string;
  /** The folder with a slash at its end: every file of the lab begins so. */
  readonly within: string;
}

/** A lab of a thousand services has half a megabyte. */
export const sourceLimitBytes = 8 * 2 ** 20;

/**
 * The file a path means; a folder means its `lab.ts`. Faults: `missing`, `denied` (also for a link that leads out of its
 * folder: a lab from Git could name any file so), `invalid` for what is no file or too large.
 */
export function locateLab(path: string): Location {
  const entry = reach(path, () => realpathSync.native(statSync(path).isDirectory() ? path : dirname(path)));
  const named = reach(path, () => statSync(path).isDirectory()) ? join(entry, "lab.ts") : join(entry, basename(path));
  const file = reach(named, () => realpathSync.native(named));
  const folder = dirname(named);
  const within = folder === "/" ? folder : `${folder}/`;
  if (!file.startsWith(within)) {
    throw new Fault("denied", `${named} is a link that leads out of its folder`, {
      hint: `name the lab itself: ${file}`,
    });
  }
  const stat = reach(file, () => statSync(file));
  if (!stat.isFile()) {
    throw new Fault("invalid", `${file} is not a file`, { hint: "name a lab file such as lab.ts, or its folder" });
  }
  if (stat.size > sourceLimitBytes) {
    const [size, limit] = [stat.size, sourceLimitBytes].map((bytes) => (bytes / 2 ** 20).toFixed(1));
    throw new Fault("invalid", `${file} is too large for a lab: ${size} MiB, and ${limit} MiB is the limit`, {
      hint: "name a lab file; what is generated can be written more briefly in TypeScript",
    });
  }
  reach(file, () => closeSync(openSync(file, "r")));
  return { file, folder, within };
}

/** Why there is no lab to be read at a path; undefined when there is one. */
export function findFault(path: string): Fault | undefined {
  try {
    locateLab(path);
    return undefined;
  } catch (thrown) {
    if (isFault(thrown)) return thrown;
    throw thrown;
  }
}

/** What `path` may have meant while it was there: a file, or a folder with a `lab.ts`. */
export function formerLocations(path: string): readonly Pick<Location, "file" | "folder">[] {
  const real = (folder: string) => {
    try {
      return realpathSync.native(folder);
    } catch {
      return folder;
    }
  };
  const [above, itself] = [real(dirname(path)), real(path)];
  return [
    { file: join(above, basename(path)), folder: above },
    { file: join(itself, "lab.ts"), folder: itself },
  ];
}

function reach<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const hint = "name a lab file, or begin a new one: fed init my-lab";
      throw new Fault("missing", `there is no lab at ${path}`, { hint, cause: thrown });
    }
    if (code === "EACCES" || code === "EPERM") {
      const hint = "look at its owner and mode with ls -ld";
      throw new Fault("denied", `you may not read ${path}`, { hint, cause: thrown });
    }
    throw new Fault("invalid", `${path} cannot be read as a lab (${code})`, { hint: "name a lab file", cause: thrown });
  }
}
