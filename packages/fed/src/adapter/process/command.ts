/** Finds the file a command means, the way execvp(3) does, so that a start can say what is wrong before anything runs. */

import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { Fault } from "#base/fault.ts";

/** Absolute path of the executable. `folder` is where the command will run: a name with a slash is relative to it. */
export function findCommand(name: string, folder: string, path: string): string {
  if (name === "") throw new Fault("invalid", "the command is empty", { hint: "Name a program to run." });
  const hint = `Install it, or write its path, as in "./${name}" relative to ${folder}.`;
  const places = name.includes("/")
    ? [resolve(folder, name)]
    : pathFolders(path, folder).map((at) => resolve(at, name));
  const found = places.map((file) => ({ file, verdict: judge(file) }));
  const good = found.find(({ verdict }) => verdict === "runs");
  if (good) return good.file;
  const refused = found.find(({ verdict }) => verdict === "refused");
  if (refused)
    throw new Fault("denied", `${refused.file} may not be executed`, { hint: `Try: chmod +x '${refused.file}'` });
  if (name.includes("/"))
    throw new Fault("missing", `the command ${name} does not exist in ${folder}`, {
      hint: isAbsolute(name) ? "Check the path." : `It is looked for at ${resolve(folder, name)}.`,
    });
  throw new Fault("missing", `the command ${name} is not installed (looked in PATH: ${path || "empty"})`, { hint });
}

/** Fault `missing` unless the folder is there and is one. */
export function requireFolder(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return;
  throw new Fault("missing", stat ? `${folder} is not a folder` : `the folder ${folder} does not exist`, {
    hint: "A service's folder is relative to the folder of the lab file.",
  });
}

/** An empty entry of PATH means the current folder. */
function pathFolders(path: string, folder: string): readonly string[] {
  return path === "" ? [] : path.split(":").map((at) => resolve(folder, at));
}

function judge(file: string): "runs" | "refused" | "absent" {
  try {
    if (!statSync(file).isFile()) return "absent";
  } catch {
    return "absent";
  }
  try {
    accessSync(file, constants.X_OK);
    return "runs";
  } catch {
    return "refused";
  }
}
