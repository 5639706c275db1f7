import { glob, readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { Fault } from "#base/fault.ts";
import { fileFault } from "./file-fault.ts";

/** A script of queries to run. */
interface ScriptFile {
  /** As people see it: relative to the folder they are in where it is below, `-` for stdin. */
  readonly name: string;
  read(): Promise<string>;
}

type Input = AsyncIterable<Uint8Array | string>;

/**
 * The scripts that these absolute paths mean, each once: a file, every `.test` and `.txt` below a folder, what fits a
 * pattern with `*`, and `-` in the folder the person is in for stdin. Fault `missing` for a path that means none.
 */
export async function findScripts(paths: readonly string[], cwd: string, stdin: Input): Promise<readonly ScriptFile[]> {
  const found = new Map<string, ScriptFile>();
  for (const path of paths) {
    if (path === join(cwd, "-")) found.set("-", { name: "-", read: () => readAll(stdin) });
    else for (const file of await filesOf(path)) found.set(file, scriptFile(file, cwd));
  }
  return [...found.values()];
}

function scriptFile(path: string, cwd: string): ScriptFile {
  const below = relative(cwd, path);
  const read = async () => {
    try {
      return await readFile(path, "utf8");
    } catch (thrown) {
      throw fileFault(thrown, "read", path);
    }
  };
  return { name: below.startsWith("..") ? path : below, read };
}

async function filesOf(path: string): Promise<readonly string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  if (isFolder === false) return [path];
  const inFolder = isFolder === true;
  const files = inFolder ? await scriptsBelow(path) : await Array.fromAsync(glob(path));
  if (files.length > 0) return files.sort();
  throw new Fault("missing", inFolder ? `${path} holds no scripts` : `there is no script ${path}`, {
    hint: inFolder
      ? "A script in a folder is a file that ends with .test or .txt."
      : "Look at the path; - reads stdin.",
  });
}

async function scriptsBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((one) => one.isFile() && /\.(?:test|txt)$/.test(one.name))
      .map((one) => join(one.parentPath, one.name));
  } catch (thrown) {
    throw fileFault(thrown, "read", folder);
  }
}

async function readAll(stdin: Input): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdin) text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
