import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished } from "vitest";
import type { WireRollout } from "../../packages/fed/src/wire/release.ts";
import { entry, repository, runFed, startProgram } from "./program.ts";
import { leftBehind, type Stage, statusOf, until } from "./stage.ts";

/** The example `slice` on a stage of its own, and the people who use it. */

export const environments = ["dev", "prod"] as const;
export const hosts = { dev: "slice-dev.localhost", prod: "slice.localhost" } as const;

export interface SliceStage extends Stage {
  readonly folder: string;
  readonly fed: (...words: readonly string[]) => ReturnType<typeof runFed>;
}

/** A copy of the example as Git has it; `lab` names one of its labs. */
export async function makeSlice(lab: string): Promise<SliceStage> {
  const folder = await mkdtemp(join(tmpdir(), "fed-slice-"));
  const data = join(folder, "data");
  onTestFinished(async () => {
    for (const pid of await leftBehind(data)) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const built = new Set(["node_modules", "dist"]);
  const options = { recursive: true, filter: (path: string) => !built.has(basename(path)) };
  await cp(join(repository, "examples/slice"), folder, options);
  const path = join(folder, lab);
  return {
    ...{ data, folder, lab: path },
    edit: async (change) => writeFile(path, change(await readFile(path, "utf8"))),
    fed: (...words) => runFed([...words, "--data", data]),
  };
}

/**
 * A hub on a lab that is new to it. Nothing runs until each environment has its password, which comes by a pipe: no
 * argument of any program has it.
 */
export async function upWithPasswords(stage: SliceStage, password: string, limitMs: number) {
  const words = ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];
  const program = startProgram(join(repository, "fed"), words);
  await program.says(/welcome#code=/);
  for (const environment of environments) {
    const set = ["secret", "set", "DATABASE_PASSWORD", "--env", environment, "--data", stage.data];
    const line = 'printf %s "$PASSWORD" | "$0" "$@"';
    const options = { env: { PASSWORD: `${password}-${environment}` } };
    const { ending } = startProgram("/bin/sh", ["-c", line, process.execPath, entry, ...set], options);
    expect(await ending).toMatchObject({ code: 0 });
  }
  // It may hear of an earlier try, without the passwords: that all is well in the end is what counts.
  await stage.fed("apply");
  await ready(stage, limitMs);
  const [, url = "", ingress = ""] = await program.says(/ready api=(\S+) ingress=http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...program, url, ingress: Number(ingress) };
}

/** What does not become well says its last words in the failure. */
export async function ready(stage: SliceStage, limitMs: number): Promise<void> {
  await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), limitMs).catch(
    async (thrown) => {
      const { services } = await statusOf(stage).catch(() => ({ services: [] }));
      const unwell = services.filter(({ state }) => state !== "healthy");
      const words = unwell.map(async ({ environment, service }) => {
        const { out, err } = await stage.fed("logs", `${environment}/${service}`, "--gone");
        return `${environment}/${service}: ${out.slice(-1_500)}${err}`;
      });
      throw new Error((await Promise.all(words)).join("\n"), { cause: thrown });
    },
  );
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly cookie: string | undefined;
}

/** Somebody at the page of one environment, with a cookie of their own. */
export function openPerson(port: number, host: string) {
  let cookie = "";
  const send = (method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: "127.0.0.1", port, path, method, agent: false },
          headers: { host, cookie, "content-type": "application/json", ...headers },
        },
        (response) => {
          text(response).then((said) => {
            const set = response.headers["set-cookie"]?.[0];
            const json = /json/.test(response.headers["content-type"] ?? "");
            resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(said) : said, cookie: set });
          }, reject);
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const enter = async (path: string, name: string, password: string) => {
    const answer = await send("POST", path, { name, password });
    if (answer.cookie !== undefined) cookie = answer.cookie.split(";")[0] ?? "";
    return answer;
  };
  return {
    send,
    signUp: (name: string, password: string) => enter("/api/sign-up", name, password),
    signIn: (name: string, password: string) => enter("/api/sign-in", name, password),
    keep: (note: string) => send("POST", "/api/notes", { text: note }),
    /** What is written down, or why nothing is told: the newest first. */
    async notes(): Promise<readonly string[] | string> {
      const { status, body } = await send("GET", "/api/notes");
      return status === 200
        ? (body as { text: string }[]).map((note) => note.text)
        : `${status} ${JSON.stringify(body)}`;
    },
    async title(): Promise<string> {
      return ((await send("GET", "/api/about")).body as { title?: string }).title ?? "";
    },
  };
}

export type Person = ReturnType<typeof openPerson>;

/** Asks for the notes again and again; its end tells how often, and every answer that was not these. */
export function readOnAndOn(person: Person, wanted: readonly string[]) {
  const bad: string[] = [];
  let [count, stopped] = [0, false];
  const work = (async () => {
    while (!stopped) {
      count++;
      const got = await person.notes().catch((thrown) => String(thrown));
      if (JSON.stringify(got) !== JSON.stringify(wanted)) bad.push(JSON.stringify(got).slice(0, 200));
    }
  })();
  return async () => {
    stopped = true;
    await work;
    return { count, bad };
  };
}

/** The newest first. */
async function rolloutsOf({ fed }: SliceStage, service: string): Promise<readonly WireRollout[]> {
  const { out, err } = await fed("releases", service, "--json");
  if (out === "") throw new Error(err);
  return (JSON.parse(out) as { rollouts: WireRollout[] }).rollouts;
}

/** Waits until the newest rollout is that of this release and has ended well, and fails with its reason when it has not. */
export async function rolledOut(stage: SliceStage, service: string, release: number, limitMs = 60_000): Promise<void> {
  await until(
    `release ${release} of ${service}`,
    async () => {
      const [newest] = await rolloutsOf(stage, service);
      if (newest?.state === "failed") throw new Error(`${service}: ${JSON.stringify(newest)}`);
      return newest?.state === "done" && newest.release?.number === release ? true : undefined;
    },
    limitMs,
  );
}
