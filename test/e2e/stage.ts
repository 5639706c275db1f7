import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { readEnv } from "../../packages/fed/src/cli/env.ts";
import { openClient } from "../../packages/fed/src/cli/hub-client.ts";
import { api } from "../../packages/fed/src/wire/api.ts";
import type { HubStatus } from "../../packages/fed/src/wire/status.ts";
import { repository, startProgram } from "./program.ts";

/** A hub of the real program on a copy of the starter lab, in a folder of its own; nothing of it outlives its test. */

export interface Stage {
  readonly data: string;
  readonly lab: string;
  readonly edit: (change: (text: string) => string) => Promise<void>;
}

/** A copy of the starter, under a name that hurts whoever forgets to quote, whose releases need not last for long. */
export async function makeStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "fed é'\"$ up-"));
  const data = join(folder, "data");
  const lab = join(folder, "lab.ts");
  await cp(join(repository, "examples/starter"), folder, { recursive: true });
  const text = (await readFile(lab, "utf8")).replaceAll(/^( *)health:.*$/gm, '$&\n$1settle: "200ms",');
  await writeFile(lab, text);
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

/** A hub whose services need not be well: it says that it is ready only once they are. */
export async function upUnwell(stage: Stage) {
  const words = ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];
  const program = startProgram(join(repository, "fed"), words);
  const { url, ingress } = await until("the hub", async () => {
    const text = await readFile(join(stage.data, "hub.json"), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const status = await statusOf(stage).catch(() => undefined);
    return status && { ingress: status.ingress, ...(JSON.parse(text) as { readonly url: string }) };
  });
  return { ...program, url, ingress: Number(new URL(ingress).port) };
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

/** As `fed status --json` tells it, without a process for each look. */
export async function statusOf(stage: Stage): Promise<HubStatus> {
  const { signal } = new AbortController();
  const client = await openClient({ data: stage.data, hub: undefined }, readEnv({}, "/"), signal);
  return client.call(api.status, {}, signal);
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
