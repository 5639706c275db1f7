import { cpSync, existsSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault } from "#base/fault.ts";
import { quoteWord } from "#port/quote.ts";
import { defineCommand } from "../command.ts";
import { nearPath } from "../diagnostic.ts";
import type { Env } from "../env.ts";
import { fileFault } from "../file-fault.ts";
import { checkLabName, labNameOf } from "../lab-name.ts";
import { makeFolder } from "../make-folder.ts";
import type { Screen } from "../print.ts";
import { labFiles, languageLink, surroundingFiles } from "../template.ts";

export const command = defineCommand({
  args: { folder: { kind: "folder", optional: true, description: "Where to write it (this folder when left out)" } },
  flags: {
    name: { kind: "text", value: "NAME", description: "Name of the lab (made from the folder's when left out)" },
    force: { kind: "switch", description: "Write over files that are there" },
  },
  details: [
    "Writes a lab with one small service, and what an editor needs to know the language without an install.",
    "In a folder that has a lab.ts it writes only what the editor needs; do that after a fresh clone.",
  ],
  examples: [
    { line: "fed init my-lab", says: "begin a lab in a new folder" },
    { line: "fed init .", says: "make the editor understand a lab that was cloned" },
  ],
  async run({ args, flags, env, screen }) {
    const folder = args.folder ?? env.cwd;
    const name = flags.name === undefined ? labNameOf(basename(folder)) : checkLabName(flags.name);
    refuseOther(folder);
    const isLab = existsSync(join(folder, "lab.ts")) && !flags.force;
    const fed = fedWord(env);
    const all = { ...labFiles(name), ...surroundingFiles };
    if (!isLab && !flags.force) refuseOverwrite(folder, Object.keys(all));
    const wanted = Object.entries(isLab ? surroundingFiles : all);
    const files = wanted.filter(([file]) => !isLab || !existsSync(join(folder, file)));
    for (const [file, text] of files) write(join(folder, file), text);
    const bound = bindLanguage(folder, env);
    if (screen.json)
      screen.data({ folder, name: isLab ? undefined : name, wrote: files.map(([file]) => file), language: bound });
    showNext(
      screen,
      folder,
      env,
      fed,
      isLab,
      files.map(([file]) => file),
    );
    return 0;
  },
});

function refuseOther(folder: string): void {
  if (isFolderOrNothing(folder)) return;
  throw new Fault("conflict", `${folder} is there already and is not a folder`, { hint: "choose another name" });
}

function isFolderOrNothing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true;
  } catch (thrown) {
    throw fileFault(thrown, "look at", path);
  }
}

function refuseOverwrite(folder: string, files: readonly string[]): void {
  const there = files.filter((file) => existsSync(join(folder, file)));
  if (there.length === 0) return;
  throw new Fault("conflict", `${folder} holds files that init would write over: ${there.join(", ")}`, {
    hint: "choose another folder, move them away, or say --force to lose them",
    details: { files: there },
  });
}

function write(path: string, text: string): void {
  try {
    makeFolder(dirname(path));
    writeFileSync(path, text);
  } catch (thrown) {
    throw fileFault(thrown, "write", path);
  }
}

/**
 * Puts the language of this installation where tsconfig.json looks for it. A link, because the types an editor shows must
 * be those of the fed that will check the lab: a copy grows old without a word. A copy only where links do not exist.
 */
function bindLanguage(folder: string, env: Env): "link" | "copy" {
  const target = join(env.installation, "packages/lab/src");
  const link = join(folder, languageLink);
  if (linkTarget(link) === target) return "link";
  try {
    makeFolder(dirname(link));
    rmSync(link, { recursive: true, force: true });
    try {
      symlinkSync(target, link);
      return "link";
    } catch (thrown) {
      if (!["EPERM", "ENOTSUP", "ENOSYS"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown;
      cpSync(target, link, { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
      return "copy";
    }
  } catch (thrown) {
    throw fileFault(thrown, "write", link);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // Not there, or not a link.
  }
}

/** How this person can call fed again: by name when PATH leads to it, else by its place. */
function fedWord(env: Env): string {
  return env.path.some((folder) => existsSync(join(folder, "fed"))) ? "fed" : quoteWord(join(env.installation, "fed"));
}

function showNext(
  screen: Screen,
  folder: string,
  env: Env,
  fed: string,
  isLab: boolean,
  files: readonly string[],
): void {
  const shown = nearPath(folder, env.cwd);
  if (isLab) screen.line(`${shown} is a lab already; your editor understands it now.`);
  else screen.line("A new lab in ", { text: shown, style: "strong" });
  for (const file of files) screen.line(`  ${file}`);
  screen.line();
  screen.line("Next:");
  if (folder !== env.cwd) screen.line(`  cd ${quoteWord(shown)}`);
  screen.line(`  ${fed} up`);
}
