/** Compiling many small labs with the real compiler in one run, and reading what it says. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Stands in a source where the compiler must report; taken for what follows it. */
const marker = "/*!*/";

export interface Complaint {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** All its lines. */
  readonly message: string;
}

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** What `fed init` writes for a person's editor: looser than this repository's own options. */
export const personsOptions = {
  target: "esnext",
  module: "esnext",
  moduleResolution: "bundler",
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: [],
};

/** This repository's options. */
const strictOptions = {
  ...personsOptions,
  module: "nodenext",
  moduleResolution: "nodenext",
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
};

/** Compiles files (path → source) in a temporary folder where `@fed/lab` is this package. Returns what is wrong. */
export async function compile(
  files: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = strictOptions,
): Promise<readonly Complaint[]> {
  const folder = await mkdtemp(join(tmpdir(), "fed-types-"));
  try {
    const paths = { "@fed/lab": [join(root, "packages/lab/src/index.ts")] };
    const config = { compilerOptions: { ...options, paths }, include: ["**/*.ts"] };
    const all = { ...files, "tsconfig.json": JSON.stringify(config), "package.json": '{ "type": "module" }' };
    for (const [path, source] of Object.entries(all)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), source);
    }
    return readComplaints(await runCompiler(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runCompiler(folder: string): Promise<string> {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const words = [compiler, "-p", folder, "--pretty", "false", "--noErrorTruncation"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // 1 and 2 mean that it found mistakes; anything else, that it did not run.
      if (error !== null && error.code !== 1 && error.code !== 2) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

function readComplaints(output: string): readonly Complaint[] {
  const complaints: Complaint[] = [];
  for (const line of output.split("\n")) {
    const match = /^(.*?)\((\d+),(\d+)\): error (TS\d+: .*)$/.exec(line);
    const last = complaints.pop();
    if (match !== null) {
      if (last !== undefined) complaints.push(last);
      const [, file = "", row, column, message = ""] = match;
      complaints.push({ file, line: Number(row), column: Number(column), message });
    } else if (last !== undefined) {
      complaints.push({ ...last, message: `${last.message}\n${line}`.trimEnd() });
    } else if (line.startsWith("error")) {
      throw new Error(line);
    }
  }
  return complaints;
}

/** Places (`line:column`) right after each marker in a source. */
export function markedPlaces(source: string): readonly string[] {
  const places: string[] = [];
  for (const [index, line] of source.split("\n").entries()) {
    for (let at = line.indexOf(marker); at >= 0; at = line.indexOf(marker, at + 1)) {
      places.push(`${index + 1}:${at + marker.length + 1}`);
    }
  }
  return places;
}
