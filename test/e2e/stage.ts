import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { HubStatus } from "../../packages/fed/src/wire/status.ts";
import { repository, runFed, startProgram } from "./program.ts";

/** A hub of the real program on a copy of the starter lab, in a folder of its own; nothing of it outlives its test. */

export interface Stage {
  readonly data: string;
  readonly lab: string;
  readonly edit: (change: (text: string) => string) => Promise<void>;
}

/** A copy of the starter under a name that hurts whoever forgets to quote. */
export async function makeStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "fed é'\"$ up-"));
  const data = join(folder, "data");
  const lab = join(folder, "lab.ts");
  await cp(join(repository, "examples/starter"), folder, { recursive: true });
  const text = await readFile(lab, "utf8");
  onTestFinished(async () => {
    for (const pid of await leftBehind(data)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return { data, lab, edit: (change) => writeFile(lab, change(text)) };
}

/** Processes that were started below this data folder: their output goes there. */
export async function leftBehind(data: string): Promise<readonly number[]> {
  const found: number[] = [];
  const ids = await readdir(join(data, "instances")).catch(() => []);
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (ids.some((id) => environment.includes(`FED_INSTANCE=${id}`))) found.push(Number(name));
  }
  return found;
}

/** `words` come last and win. */
export async function up(stage: Stage, ...words: readonly string[]) {
  const fixed = words.includes("--port") ? [] : ["--port", "0"];
  const options = ["--data", stage.data, ...fixed, "--ingress-port", "0", ...words];
  const program = startProgram(join(repository, "fed"), ["up", stage.lab, ...options]);
  const [, url = "", ingress = ""] = await program.says(/ready api=(\S+) ingress=http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...program, url, ingress: Number(ingress) };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

export function ask(port: number, host: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, headers: { host }, agent: agent ?? false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

export async function statusOf(stage: Stage): Promise<HubStatus> {
  return JSON.parse((await runFed(["status", "--json", "--data", stage.data])).out) as HubStatus;
}

export async function until<T>(what: string, look: () => Promise<T | undefined>, limitMs = 20_000): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new Error(`${what} did not come within ${limitMs} ms`);
    await pause(20);
  }
}
