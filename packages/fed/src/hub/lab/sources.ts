import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isBuiltin, registerHooks } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Question, Wrong } from "./answer.ts";

// Runs in the child beside the lab, which may bend what all code shares (`String.prototype` and its like). So what decides
// is taken here, before the lab is there. Node's permission model is the second wall.
const startsWith = Function.prototype.call.bind(String.prototype.startsWith) as (
  text: string,
  start: string,
) => boolean;
const includes = Function.prototype.call.bind(String.prototype.includes) as (text: string, part: string) => boolean;
const indexOf = Function.prototype.call.bind(String.prototype.indexOf) as (text: string, part: string) => number;
const lastIndexOf = Function.prototype.call.bind(String.prototype.lastIndexOf) as (
  text: string,
  part: string,
) => number;
const slice = Function.prototype.call.bind(String.prototype.slice) as (
  text: string,
  start: number,
  end?: number,
) => string;
const split = Function.prototype.call.bind(String.prototype.split) as (text: string, at: string) => string[];
const Address = URL;
const print = JSON.stringify;

type Format = "module-typescript" | "module" | "json";
const formats: Readonly<Record<string, Format>> = Object.assign(Object.create(null), {
  ".ts": "module-typescript",
  ".mts": "module-typescript",
  ".js": "module",
  ".mjs": "module",
  ".json": "json",
});

/** What people want of a built-in module, and what a lab does instead. */
const insteads: Readonly<Record<string, readonly [string, string]>> = Object.assign(Object.create(null), {
  fs: ["read or write files", "Import what it needs from its own folder: a .ts, .js or .json file."],
  "fs/promises": ["read or write files", "Import what it needs from its own folder: a .ts, .js or .json file."],
  child_process: ["start processes", 'A service starts one: run: process("…").'],
  cluster: ["start processes", 'A service starts one: run: process("…").'],
  net: ["open network connections", "Write what it would fetch into a file beside the lab."],
  tls: ["open network connections", "Write what it would fetch into a file beside the lab."],
  http: ["open network connections", "Write what it would fetch into a file beside the lab."],
  https: ["open network connections", "Write what it would fetch into a file beside the lab."],
  http2: ["open network connections", "Write what it would fetch into a file beside the lab."],
  dgram: ["open network connections", "Write what it would fetch into a file beside the lab."],
  dns: ["open network connections", "Write what it would fetch into a file beside the lab."],
  worker_threads: ["start threads", "Compute in the lab file itself."],
  process: ["look at its surroundings", "What differs by environment is written in the lab: { dev: …, prod: … }."],
  os: ["look at its surroundings", "What differs by environment is written in the lab: { dev: …, prod: … }."],
});

/**
 * From here on every import is the lab's: `@fed/lab` is the installation's own, all else must lie, links followed, in the
 * lab's folder. `note` hears of each file, also of one that is missing.
 */
export function guardImports(question: Question, note: (file: string) => void): void {
  const texts: Record<string, string> = Object.create(null);
  let left = question.sourceLimitBytes;

  /** Where the importing file says it: the specifier's opening quote. */
  const place = (from: string | undefined, specifier: string) => {
    const text = from === undefined ? undefined : texts[from];
    if (from === undefined || text === undefined) return undefined;
    const at = [`"${specifier}"`, `'${specifier}'`].map((quoted) => indexOf(text, quoted)).find((index) => index >= 0);
    if (at === undefined) return undefined;
    const before = slice(text, 0, at);
    return { file: fileURLToPath(from), line: split(before, "\n").length, column: at - lastIndexOf(before, "\n") };
  };

  registerHooks({
    resolve(specifier, { parentURL }) {
      if (specifier === "@fed/lab") return { url: question.language, format: "module-typescript", shortCircuit: true };
      const refuse = (message: string, hint: string) =>
        new Wrong("bad-import", message, hint, place(parentURL, specifier));
      const path = locate(specifier, parentURL, question.within, refuse);
      const real = follow(path, specifier, question.within, refuse, note);
      const format = formats[extname(real)];
      if (format === undefined) {
        const message = `A lab cannot import ${print(specifier)}: it is none of .ts, .mts, .js, .mjs and .json.`;
        throw refuse(message, "Write it as one of these.");
      }
      return { url: pathToFileURL(real).href, format, shortCircuit: true };
    },
    load(url, context) {
      const path = fileURLToPath(url);
      const size = statSync(path).size;
      if (size > left) {
        const limit = `${question.sourceLimitBytes / 2 ** 20} MiB`;
        throw new Wrong("too-large", `The files of the lab are larger than ${limit} together.`, "Make them smaller.", {
          file: path,
          line: 1,
          column: 1,
        });
      }
      left -= size;
      const source = readFileSync(path, "utf8");
      if (includes(source, "\0")) {
        throw new Wrong("syntax", `${path} is not a text file.`, "Name a lab written in TypeScript.");
      }
      texts[url] = source;
      return { format: context.format as Format, source, shortCircuit: true };
    },
  });
}

type Refuse = (message: string, hint: string) => Wrong;

/** The absolute path an import means, before links; only files of the lab's folder have one. */
function locate(specifier: string, from: string | undefined, within: string, refuse: Refuse): string {
  if (isBuiltin(specifier)) {
    const name = startsWith(specifier, "node:") ? slice(specifier, 5) : specifier;
    const [deed, hint] = insteads[name] ?? ["use what belongs to Node.js", "Write it without, in plain TypeScript."];
    throw refuse(`A lab cannot import ${print(specifier)}: a lab may not ${deed}.`, hint);
  }
  const isPath = startsWith(specifier, "./") || startsWith(specifier, "../") || startsWith(specifier, "/");
  if (!isPath && !startsWith(specifier, "file:")) {
    throw refuse(
      `A lab cannot import ${print(specifier)}: it may import only "@fed/lab" and files of its own folder.`,
      'A file of its folder begins with "./".',
    );
  }
  let path: string;
  try {
    path = fileURLToPath(new Address(specifier, from));
  } catch {
    throw refuse(`${print(specifier)} names no file.`, 'Write a path such as "./machines.ts".');
  }
  if (!startsWith(path, within)) throw outside(specifier, path, refuse);
  return path;
}

/** The file behind every link, which must lie in the folder as well. */
function follow(path: string, specifier: string, within: string, refuse: Refuse, note: (file: string) => void): string {
  let real: string;
  try {
    real = realpathSync.native(path);
    if (!startsWith(real, within)) throw outside(specifier, real, refuse);
    note(real);
    if (statSync(real).isFile()) return real;
  } catch (thrown) {
    if (thrown instanceof Wrong) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code;
    note(path);
    if (code === "ENOENT" || code === "ENOTDIR") {
      const hint = existsSync(`${path}.ts`) ? `Write its ending: ${print(`${specifier}.ts`)}.` : "Look at its name.";
      throw refuse(`The lab imports ${print(specifier)}, but there is no file ${path}.`, hint);
    }
    throw refuse(`The lab imports ${print(specifier)}, but it cannot be read (${code}).`, "Look at it with ls -l.");
  }
  throw refuse(`The lab imports ${print(specifier)}, which is a folder.`, "Import a file of it.");
}

function outside(specifier: string, path: string, refuse: Refuse): Wrong {
  return refuse(
    `A lab cannot import ${print(specifier)}: ${path} is outside its folder.`,
    "Move the file into the lab's folder.",
  );
}
