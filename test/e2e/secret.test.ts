import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { api } from "../../packages/fed/src/wire/api.ts";
import { entry, runFed, startProgram } from "./program.ts";
import { ask, leftBehind, makeStage, type Stage, statusOf, until, up, upUnwell } from "./stage.ts";

/**
 * A canary: a secret whose value stands nowhere but where it belongs. The service says it aloud as often as it can, in what it prints
 * before it dies, too.
 */

const program = `
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const { TOKEN = "", TOKEN_FILE, MODE, PORT, HOST } = process.env;
const inFile = readFileSync(TOKEN_FILE, "utf8");
console.log(\`connecting with \${TOKEN} in \${encodeURIComponent(TOKEN)}\`);
console.error(JSON.stringify({ password: inFile }));
if (MODE === "crash") {
  console.log(\`fatal: \${TOKEN} was refused\`);
  setTimeout(() => process.exit(3), 300);
} else {
  const sum = (text) => createHash("sha256").update(text).digest("hex");
  createServer((_, response) => response.end([sum(TOKEN), sum(inFile)].join(" "))).listen(PORT, HOST);
}
`;

const labText = (mode: string) => `
import { defineLab, http, process, server } from "@fed/lab";
export default defineLab({
  name: "canary",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
  secrets: { CANARY: { description: "Sings." } },
  services: {
    bird: {
      run: process(["node", "bird.mjs"]),
      health: http("/", { within: "10s" }),
      route: "bird.localhost",
      settle: "200ms",
      env: { TOKEN: { secret: "CANARY" }, TOKEN_FILE: { secretFile: "CANARY" }, MODE: "${mode}" },
    },
  },
});
`;

const makeValue = (name: string) => `${name}:${randomBytes(12).toString("hex")}/"quoted"&more`;
const sumOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** Every way in which a value may be written down. */
const formsOf = (value: string) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];

async function makeCage() {
  const stage = await makeStage();
  const folder = dirname(stage.lab);
  await writeFile(join(folder, "bird.mjs"), program);
  await writeFile(stage.lab, labText("sing"));
  const values = ["one", "two"].map(makeValue);
  const heard: string[] = [];
  const fed = async (...words: readonly string[]) => {
    const ended = await runFed([...words, "--data", stage.data]);
    heard.push(ended.out, ended.err);
    return ended;
  };
  /** By a pipe: no argument of any program has it. */
  const set = async (value: string) => {
    const file = join(folder, "value");
    await writeFile(file, value);
    const words = ["secret", "set", "CANARY", "--env", "dev", "--data", stage.data];
    const { ending } = startProgram("/bin/sh", [
      "-c",
      'program=$0 main=$1 file=$2; shift 2; exec "$program" "$main" "$@" < "$file"',
      process.execPath,
      entry,
      file,
      ...words,
    ]);
    const ended = await ending;
    heard.push(ended.out, ended.err);
    await writeFile(file, "");
    return ended;
  };
  return { stage, folder, values, heard, fed, set };
}

/** What the service says it has: the sums of its variable and of its file. */
async function sings(ingress: number, value: string, what: string): Promise<void> {
  const sum = sumOf(value);
  await until(what, async () => {
    const { status, body } = await ask(ingress, "bird.localhost");
    return status === 200 && body === `${sum} ${sum}` ? true : undefined;
  });
}

/** The files below a folder, but for those of which \`skip\` says that they may have it. */
async function filesIn(folder: string, skip: (path: string) => boolean): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .filter((path) => !skip(path));
}

/** What the instance itself printed, and the file that it was given. */
const itsOwn = (path: string) => /\/instances\/[^/]+\/(?:secret\/|output|log)/.test(path);

async function expectClean(stage: Stage, values: readonly string[], told: readonly string[]) {
  const forms = values.flatMap(formsOf);
  for (const text of told) for (const form of forms) expect(text).not.toContain(form);
  const files = await filesIn(stage.data, itsOwn);
  expect(files.map((path) => path.slice(stage.data.length))).toContain("/control.db");
  for (const path of files) {
    // An instance may be removed meanwhile.
    const bytes = await readFile(path).catch(() => Buffer.of());
    for (const form of forms) expect(bytes.includes(form), path).toBe(false);
  }
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const argv = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    for (const form of forms) expect(argv).not.toContain(form);
  }
}

/** What the API answers to whoever may read everything. */
async function readEverything(url: string, data: string): Promise<readonly string[]> {
  const token = (await readFile(join(data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const filled = Object.entries(api).flatMap(([name, { method, path, answer }]) => {
    if (method !== "GET" || answer === "events" || answer === "lines") return [];
    const known = path
      .replace(":environment", "dev")
      .replace(":service", "bird")
      .replace(":name", "hub")
      .replace(":number", "1");
    return known.includes(":") ? [] : [{ name, path: known }];
  });
  expect(filled.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["status", "plan", "logs", "secrets", "events"]),
  );
  return Promise.all(
    filled.map(async ({ path }) => {
      const query = path.endsWith("/logs") ? "?gone=true" : "";
      const answer = await fetch(`${url}${path}${query}`, { headers });
      return answer.text();
    }),
  );
}

test("a secret's value is in no output, event, plan, answer, argument or file, and each release has its own", {
  timeout: 300_000,
}, async () => {
  const { stage, values, heard, fed, set } = await makeCage();
  const [one = "", two = ""] = values;
  const hub = await upUnwell(stage);
  heard.push((await fed("secret", "list")).out);
  expect((await fed("secret", "list")).code).toBe(3);
  expect(heard.at(-2)).toContain("missing for dev/bird: fed secret set CANARY --env dev");
  const missing = await until("word of what is missing", async () => {
    const { services } = await statusOf(stage);
    const text = JSON.stringify(services);
    return text.includes("CANARY") ? text : undefined;
  });
  expect(missing).toContain("the secret CANARY has no value in dev");

  expect(await set(one)).toMatchObject({
    code: 0,
    out: "CANARY in dev: version 1 is in the vault\ndev/bird waited for it and begins now\n",
  });
  expect((await fed("apply")).code).toBe(0);
  await sings(hub.ingress, one, "the first value");

  // What runs keeps what it has, until somebody wants the new one.
  expect((await set(two)).err).toContain("fed apply gives it to dev/bird");
  const plan = await fed("plan");
  expect(plan.code).toBe(3);
  expect(plan.out).toContain("TOKEN");
  await sings(hub.ingress, one, "still the first value");
  expect((await fed("apply")).code).toBe(0);
  await sings(hub.ingress, two, "the second value");

  // Exactly as it was.
  expect((await fed("rollback", "dev/bird", "--wait")).code).toBe(0);
  await sings(hub.ingress, one, "the first value again");

  // The last lines of one that fails are kept, and shown.
  await writeFile(stage.lab, labText("crash"));
  const failed = await until("a failed rollout", async () => {
    const { out } = await fed("releases", "dev/bird", "--json");
    const { rollouts } = JSON.parse(out) as { readonly rollouts: readonly { state: string; output: string }[] };
    return rollouts[0]?.state === "failed" ? rollouts[0] : undefined;
  });
  expect(failed.output).toContain("fatal: [secret CANARY] was refused");
  await sings(hub.ingress, one, "the first value through it all");

  // A new master key changes nothing for who has a version.
  expect((await fed("key", "rotate")).code).toBe(0);
  await writeFile(stage.lab, labText("sing again"));
  await sings(hub.ingress, two, "the newest value");
  // Who serves is not done before it has lasted.
  expect((await fed("apply")).code).toBe(0);

  for (const words of [
    ...[["status"], ["status", "--json"], ["plan", "--json"], ["events", "-n", "1000"], ["events", "--json"]],
    ...[
      ["logs", "dev/bird"],
      ["logs", "dev/bird", "--gone"],
      ["logs", "dev/bird", "--list"],
      ["releases", "dev/bird"],
    ],
    ...[
      ["releases", "dev/bird", "1"],
      ["releases", "dev/bird", "1", "2"],
      ["secret", "list"],
      ["secret", "list", "--json"],
    ],
    ...[["machines"], ["machine", "show", "hub", "--json"], ["credential", "list"], ["restart", "dev/bird"]],
  ]) {
    const { err } = await fed(...words);
    expect(err, words.join(" ")).not.toMatch(/^fed: /m);
  }
  expect(heard.join("")).toContain("connecting with [secret CANARY] in [secret CANARY]");
  heard.push(...(await readEverything(hub.url, stage.data)));
  await expectClean(stage, values, heard);

  // The files of instances are theirs alone, and gone with them.
  const given = await filesIn(join(stage.data, "instances"), (path) => !/\/secret\//.test(path));
  expect(given.length).toBeGreaterThan(0);
  for (const path of given) expect((await stat(path)).mode & 0o077, path).toBe(0);
  expect((await fed("down")).code).toBe(0);
  const { out, err } = await hub.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
  await expectClean(stage, values, [out, err]);
  expect(await filesIn(join(stage.data, "instances"), (path) => !/\/secret\//.test(path))).toEqual([]);
});

test("values that people have in files go on to count, until the store has one", async () => {
  const { stage, values, fed, set } = await makeCage();
  const [one = "", two = ""] = values;
  await mkdir(join(stage.data, "secrets"), { recursive: true });
  await writeFile(join(stage.data, "secrets/CANARY"), `${one}\n`);
  const hub = await up(stage);
  await sings(hub.ingress, one, "the value of the file");
  expect((await fed("secret", "list")).out).toMatch(/^CANARY +all +file/m);
  await set(two);
  expect((await fed("apply")).code).toBe(0);
  await sings(hub.ingress, two, "the value of the store");
  hub.child.kill("SIGINT");
  await hub.ending;
});
