import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Fault } from "#base/fault.ts";
import type { WireDiagnostic } from "#wire/diagnostic.ts";
import type { Env } from "./env.ts";
import { labOptions } from "./template.ts";

const limitMs = 60_000;

/** What the TypeScript compiler of this installation says about a lab: by the tsconfig.json beside it, else by fed's own. */
export async function checkTypes(lab: string, env: Env, signal: AbortSignal): Promise<readonly WireDiagnostic[]> {
  const compiler = join(env.installation, "node_modules/typescript/bin/tsc");
  if (!existsSync(compiler)) {
    throw new Fault("unsupported", "this installation of fed has no TypeScript compiler", {
      hint: "run fed check without --types, or reinstall fed with its development packages",
    });
  }
  const beside = join(dirname(lab), "tsconfig.json");
  if (existsSync(beside)) return readReport(await compile(compiler, beside, env, signal), dirname(lab));
  const folder = await mkdtemp(join(tmpdir(), "fed-types-"));
  try {
    const project = join(folder, "tsconfig.json");
    const language = join(env.installation, "packages/lab/src/index.ts");
    const compilerOptions = { ...labOptions, paths: { "@fed/lab": [language] } };
    await writeFile(project, JSON.stringify({ compilerOptions, files: [lab] }));
    return readReport(await compile(compiler, project, env, signal), folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The compiler's report; empty when it found nothing. */
function compile(compiler: string, project: string, env: Env, signal: AbortSignal): Promise<string> {
  const words = [compiler, "--noEmit", "--pretty", "false", "-p", project];
  const options = { cwd: dirname(project), env: env.inherited, signal, timeout: limitMs, maxBuffer: 64 << 20 };
  return new Promise((settle, refuse) => {
    execFile(process.execPath, words, options, (error, stdout, stderr) => {
      if (error?.killed) refuse(new Fault("timeout", `the TypeScript compiler took longer than ${limitMs / 1000} s`));
      else if (error && stdout === "") {
        refuse(
          new Fault("internal", `the TypeScript compiler failed: ${stderr.trim() || error.message}`, { cause: error }),
        );
      } else settle(stdout);
    });
  });
}

/** `file(line,column): error TS2322: message`, with more of the message on indented lines below. */
export function readReport(report: string, folder: string): readonly WireDiagnostic[] {
  const found: WireDiagnostic[] = [];
  for (const line of report.split("\n")) {
    const match = /^(?:(.+)\((\d+),(\d+)\): )?(error|warning) (TS\d+): (.*)$/.exec(line);
    const last = found.at(-1);
    if (match) {
      const [, file, row, column, severity, code = "", message = ""] = match;
      const at =
        file === undefined ? {} : { at: { file: resolve(folder, file), line: Number(row), column: Number(column) } };
      found.push({
        code,
        severity: severity === "warning" ? "warning" : "error",
        path: "",
        message: `${message} (${code})`,
        ...at,
      });
    } else if (last && line.startsWith("  ")) last.message += `\n${line}`;
  }
  return found;
}
