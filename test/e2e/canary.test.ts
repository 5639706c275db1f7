import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { api } from "../../packages/fed/src/wire/api.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, type Stage, until, upUnwell } from "./stage.ts";

/**
 * A canary: values that stand nowhere but where they belong, however they are written down. Each has parts that are chance, which no
 * way of writing changes but those of base64: where no part is, no form of the value is.
 */

const chance = () => randomBytes(12).toString("hex");
const hostile = () => `<script>"it's"</script> & $(id) \`x\` %s%n \\n {"a":[1]} ü/${chance()}?=+; 'q' ${chance()} --`;
const lines = () => [
  "-----BEGIN KEY-----",
  chance(),
  `"two" & ${chance()}`,
  `<three> ${chance()}`,
  "-----END KEY-----",
];

interface Canary {
  readonly EVIL: string;
  readonly KEY: string;
  readonly MANY: string;
}

const makeCanary = (): Canary => ({
  ...{ EVIL: hostile(), KEY: `${lines().join("\n")}\n`, MANY: lines().join("\n") },
});

/** What no text may have in it. */
function traces(canaries: readonly Canary[]): readonly string[] {
  const parts = canaries.flatMap((one) => Object.values(one)).flatMap((text) => text.match(/[0-9a-f]{24}/g) ?? []);
  // As a part of something longer it begins at one of three places of a group.
  const encoded = parts.flatMap((part) =>
    [0, 1, 2].map((shift) =>
      Buffer.from(`${"x".repeat(shift)}${part}`)
        .toString("base64")
        .slice(4, -4),
    ),
  );
  return [...parts, ...encoded, ...parts.map((part) => Buffer.from(part).toString("hex"))];
}

const sum = (text: string) => createHash("sha256").update(text).digest("hex");
const sumsOf = ({ EVIL, KEY, MANY }: Canary) => [EVIL, KEY, MANY].map(sum).join("\n");

const program = `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const { EVIL, MANY, KEY_FILE, MODE, PORT, HOST } = process.env;
const key = readFileSync(KEY_FILE, "utf8");
for (const text of [EVIL, MANY, key]) {
  console.log("told", text);
  console.log("json", JSON.stringify({ text }), JSON.stringify({ text }).replaceAll("/", "\\\\/"));
  console.log("url", encodeURIComponent(text), new URLSearchParams({ text }).toString());
  console.error("base64", Buffer.from("ada:" + text).toString("base64"), Buffer.from(text).toString("base64url"));
  console.error("page", text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"));
}
if (MODE === "crash") setTimeout(() => process.exit(3), 200);
const sum = (text) => createHash("sha256").update(text).digest("hex");
if (MODE !== "crash") createServer((_, response) => response.end([EVIL, key, MANY].map(sum).join("\\n"))).listen(PORT, HOST);
`;

const script = [
  "mkdir -p /www",
  'say() { echo "told $EVIL"; echo "$MANY"; cat "$KEY_FILE"; printf %s "ada:$EVIL" | busybox base64 | busybox tr -d "\\n"; echo; }',
  "say; say >&2",
  '[ "$MODE" = crash ] && exit 3',
  "sum() { busybox sha256sum | busybox cut -c1-64; }",
  '{ printf %s "$EVIL" | sum; sum <"$KEY_FILE"; printf %s "$MANY" | sum; } >/www/index.html',
  "exec httpd -f -p 8080 -h /www",
].join("; ");

function labText(engine: Engine | undefined, mode: string): string {
  const word = engine === undefined ? "" : `, engine: ${engine.kind}({ socket: "${engine.socket}" })`;
  const run = engine === undefined ? 'process(["node", "bird.mjs"])' : 'image("localhost/fed-canary:1")';
  return `
import { defineLab, ${engine?.kind ?? "docker"}, http, image, process, server } from "@fed/lab";
export default defineLab({
  name: "canary",
  machines: { hub: server({ address: "local"${word} }) },
  environments: { dev: { machines: ["hub"] } },
  secrets: { EVIL: {}, KEY: { description: "Sings." }, MANY: {} },
  services: {
    bird: {
      run: ${run},
      port: 8080,
      health: http("/", { every: "200ms", within: "20s" }),
      route: "bird.localhost",
      env: { EVIL: { secret: "EVIL" }, MANY: { secret: "MANY" }, KEY_FILE: { secretFile: "KEY" }, MODE: "${mode}" },
      volumes: { nest: { at: "/nest" } },
      stopGrace: "1s",
      settle: "100ms",
    },
  },
});
`.replace(engine === undefined ? "      port: 8080,\n" : "\u0000", "");
}

/** Looks at the arguments of all that runs on this machine, again and again; answers those with a trace. */
function watchArguments(found: (text: string) => boolean) {
  const seen: string[] = [];
  let ended = false;
  const work = (async () => {
    while (!ended) {
      for (const name of await readdir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const text = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
        if (found(text)) seen.push(text);
      }
      await pause(60);
    }
  })();
  const stop = async () => {
    ended = true;
    await work;
    return seen;
  };
  onTestFinished(async () => void (await stop()));
  return stop;
}

/** Needs something that this test does not have: a token of a link, a name of metrics, another machine's. */
const unasked = new Set(["joinScript", "agentScript", "labelValues", "exporterMetrics"]);

/** Every answer of the API that can be read, streams for a moment; and the page. */
async function readEverything(url: string, data: string): Promise<ReadonlyMap<string, string>> {
  const token = (await readFile(join(data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const read = async (path: string) => {
    const answer = await fetch(`${url}${path}`, { headers });
    const chunks: string[] = [];
    const late = AbortSignal.timeout(700);
    const body = answer.body?.pipeThrough(new TextDecoderStream());
    const reading = (async () => {
      for await (const chunk of body ?? []) chunks.push(chunk);
    })();
    await Promise.race([reading, new Promise<void>((resolve) => late.addEventListener("abort", () => resolve()))]);
    reading.catch(() => undefined);
    return `${answer.status} ${chunks.join("")}`;
  };
  const rollouts = JSON.parse((await read("/api/v1/rollouts?environment=dev&service=bird")).slice(4)) as {
    readonly rollouts: readonly { readonly id: string }[];
  };
  const words: Readonly<Record<string, string>> = {
    ...{ ":environment": "dev", ":service": "bird", ":number": "2" },
    ...{ ":id": rollouts.rollouts.at(-1)?.id ?? "none" },
  };
  const more: Readonly<Record<string, string>> = {
    logs: "?gone=true&tail=1000",
    releaseDiff: "?from=1",
    events: "?limit=1000",
    queryRange: "?query=up&start=0&end=1&step=1",
    query: "?query=up",
  };
  const found = new Map<string, string>();
  for (const [name, { method, path }] of Object.entries(api)) {
    if (method !== "GET" || unasked.has(name)) continue;
    const known =
      name === "machine" ? path.replace(":name", "hub") : path.replace(/:\w+/g, (word) => words[word] ?? word);
    expect(known, name).not.toContain(":");
    found.set(name, await read(`${known}${more[name] ?? ""}`));
  }
  for (const path of ["/", "/services/dev/bird", "/settings/secrets"]) found.set(path, await read(path));
  return found;
}

/** What an instance itself printed and the file that it was given are its own. */
const itsOwn = (path: string) => /\/instances\/[^/]+\/(?:secret\/|output|log)/.test(path);

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** All that an engine tells of what it has, but for the variables of containers: those it shows to whoever may ask it. */
function engineTells(engine: Engine): string {
  const split = (text: string) => text.split("\n").filter(Boolean);
  const containers = split(engine.run("ps", "-aq"));
  const inspected = JSON.parse(engine.run("inspect", ...containers)) as readonly {
    readonly Config: { readonly Env: readonly string[] };
  }[];
  const bare = inspected.map((one) => ({ ...one, Config: { ...one.Config, Env: [] } }));
  const images = split(engine.run("images", "-q"));
  return [
    JSON.stringify(bare),
    engine.run("ps", "-a", "--no-trunc"),
    ...images.map((id) => engine.run("history", "--no-trunc", id)),
    ...images.map((id) => engine.run("inspect", id)),
    engine.run("volume", "inspect", ...split(engine.run("volume", "ls", "-q"))),
    engine.run("network", "inspect", ...split(engine.run("network", "ls", "-q"))),
    engine.run("events", "--since", "1h", "--until", String(Math.floor(Date.now() / 1_000))),
  ].join("\n");
}

async function setAll(stage: Stage, fed: (...words: readonly string[]) => Promise<unknown>, canary: Canary) {
  for (const [name, value] of Object.entries(canary)) {
    const file = join(dirname(stage.lab), "value");
    await writeFile(file, value, { mode: 0o600 });
    expect(await fed("secret", "set", name, "--file", file)).toMatchObject({ code: 0 });
    await writeFile(file, "");
  }
}

const engines: Partial<Record<EngineKind, Engine>> = {};

for (const kind of ["process", "docker", "podman"] as const) {
  const without = kind === "process" ? "" : withoutEngine(kind);
  describe.skipIf(without !== "")(`secrets of a ${kind}${without}`, () => {
    beforeAll(async () => {
      if (kind !== "process") engines[kind] = await startEngine(kind);
    }, 60_000);
    afterAll(async () => {
      if (kind !== "process") await engines[kind]?.close();
    }, 60_000);

    test("are in no output, event, log, plan, label, argument, answer, page or file, whatever becomes of their service", async () => {
      const engine = kind === "process" ? undefined : engines[kind];
      const canaries = [makeCanary(), makeCanary()] as const;
      const forms = traces(canaries);
      const has = (text: string) => forms.some((form) => text.includes(form));
      const stopWatching = watchArguments(has);
      const stage = await makeStage();
      await writeFile(join(dirname(stage.lab), "bird.mjs"), program);
      engine?.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-canary:1");
      const told = new Map<string, string>();
      const fed = async (...words: readonly string[]) => {
        const ended = await runFed([...words, "--data", stage.data]);
        told.set(`fed ${words.join(" ")} (${told.size})`, `${ended.out}${ended.err}`);
        return ended;
      };
      const say = (mode: string) => writeFile(stage.lab, labText(engine, mode));
      await say("sing");
      const hub = await upUnwell(stage);
      const sings = (canary: Canary) =>
        until(
          "the sums of what is inside",
          async () => {
            const { body } = await ask(hub.ingress, "bird.localhost");
            return body.trimEnd() === sumsOf(canary) ? true : undefined;
          },
          60_000,
        );
      const newestRollout = async () => {
        const { out } = await fed("releases", "bird", "--json");
        const { rollouts } = JSON.parse(out) as { readonly rollouts: readonly { state: string; output: string }[] };
        return rollouts[0];
      };
      await setAll(stage, fed, canaries[0]);
      expect(await fed("apply")).toMatchObject({ code: 0 });
      await sings(canaries[0]);
      await setAll(stage, fed, canaries[1]);
      expect(await fed("plan")).toMatchObject({ code: 3 });
      const plan = await fed("plan", "--json");
      await writeFile(join(dirname(stage.lab), "plan.json"), plan.out);
      expect(await fed("deploy", "bird", "--wait")).toMatchObject({ code: 0 });
      await sings(canaries[1]);

      await say("crash");
      const failed = await until(
        "a failed rollout",
        async () => {
          const newest = await newestRollout();
          return newest?.state === "failed" ? newest : undefined;
        },
        60_000,
      );
      expect(failed.output).toContain("told [secret EVIL]");
      await say("sing");
      await until(
        "the good lab serves",
        async () => ((await newestRollout())?.state === "done" ? true : undefined),
        60_000,
      );
      expect(await fed("rollback", "bird", "--to", "1", "--wait")).toMatchObject({ code: 0 });
      await sings(canaries[0]);
      for (const words of [
        ...[["status"], ["status", "--json"], ["events", "-n", "1000"], ["events", "--json", "-n", "1000"]],
        ...[
          ["logs", "bird"],
          ["logs", "bird", "--gone"],
          ["logs", "bird", "--list"],
          ["releases", "bird"],
        ],
        ...[
          ["releases", "bird", "1"],
          ["releases", "bird", "1", "2"],
          ["secret", "list"],
          ["secret", "list", "--json"],
        ],
        ...[
          ["machine", "show", "hub", "--json"],
          ["scale", "bird", "0"],
          ["scale", "bird", "lab"],
          ["restart", "bird"],
        ],
      ]) {
        const { err } = await fed(...words);
        expect(err, words.join(" ")).not.toMatch(/^fed: /m);
      }
      expect([...told.values()].join("")).toContain("told [secret EVIL]");
      for (const [name, text] of await readEverything(hub.url, stage.data)) told.set(name, text);
      expect(told.get("logs")).toContain("told [secret EVIL]");
      if (engine) told.set("the engine", engineTells(engine));

      expect(await fed("destroy", "bird", "--with-data", "--yes")).toMatchObject({ code: 0 });
      expect(await fed("down")).toMatchObject({ code: 0 });
      const { out, err } = await hub.ending;
      told.set("the hub", `${out}${err}`);
      for (const [name, text] of told) expect(has(text) ? text : "", name).toBe("");
      for (const path of await filesIn(dirname(stage.lab)))
        if (!itsOwn(path)) expect(has((await readFile(path)).toString("latin1")), path).toBe(false);
      expect(await stopWatching()).toEqual([]);
    }, 240_000);
  });
}
