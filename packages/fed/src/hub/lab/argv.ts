import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Question } from "./answer.ts";

/**
 * What Node itself maps beside V8's heap: measured 0.6 GiB before the first line of a lab, nearly all of it reserved for
 * compiled code and never touched. The rest is what a lab can take outside the heap.
 */
const spareMiB = 1_024;

/**
 * The shell sets what Node cannot: no core dump, no file of any size, and an end to memory outside the heap and to
 * computing, should the hub be gone. A system that knows one of them not goes without. The soft limit
 * of computing is the lower one: its signal says why the child ended.
 */
const limitAndRun = `{ ulimit -c 0; ulimit -f 0; ulimit -d "$1"; ulimit -H -t "$3"; ulimit -S -t "$2"; } 2>/dev/null; shift 3; exec "$@"`;

/**
 * The words that start the child: it may read the lab's folder, the language and its own sources, and compute. Under
 * `--permission` there is no network, process, thread, native code, inspector or writing but what is allowed.
 */
export function childArgv(
  question: Question,
  limits: { readonly timeLimitMs: number; readonly memoryLimitMiB: number },
  /** Where Node keeps what it compiled. */
  cache?: string,
  entry = join(import.meta.dirname, "evaluate.ts"),
): readonly string[] {
  const { within, language } = question;
  const readable = [within, dirname(fileURLToPath(language)), import.meta.dirname, ...(cache ? [cache] : [])];
  const dataKiB = (limits.memoryLimitMiB + spareMiB) * 1024;
  // Of all its threads together.
  const computingS = Math.ceil(limits.timeLimitMs / 500) + 2;
  return [
    ...["/bin/sh", "-c", limitAndRun, "sh", `${dataKiB}`, `${computingS}`, `${computingS + 2}`],
    ...[process.execPath, "--permission", ...readable.map((path) => `--allow-fs-read=${path}`)],
    ...["--no-warnings", `--max-old-space-size=${limits.memoryLimitMiB}`],
    ...[entry, JSON.stringify(question)],
  ];
}
