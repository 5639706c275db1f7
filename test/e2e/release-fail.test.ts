import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { fed, rolloutsOf, visit } from "./failing.ts";
import { ask, makeStage, statusOf, until, up } from "./stage.ts";

/** Releases that come to nothing, on the real start-up path: somebody asks all the time, and always gets an answer. */

const server = `import { createServer } from "node:http";
const { WORD, DIES_MS, PORT, HOST } = process.env;
createServer((_, answer) => answer.end(WORD)).listen(Number(PORT), HOST);
if (DIES_MS !== undefined) setTimeout(() => { console.log("out of memory, says", WORD); process.exit(7); }, Number(DIES_MS));
`;

function processLab(env: Readonly<Record<string, string | object>>, more = "replicas: 2,"): string {
  return `import { defineLab, http, process, server } from "@fed/lab";
export default defineLab({
  name: "failing",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
  secrets: { WORD: { description: "What it says." } },
  services: {
    web: {
      run: process("node serve.mjs"), health: http("/"), route: "web.localhost",
      env: ${JSON.stringify(env)}, ${more}
    },
  },
});
`;
}

test("processes that end 5 s after they took over give way to those that stood by, and say why", async () => {
  const stage = await makeStage();
  await writeFile(join(dirname(stage.lab), "serve.mjs"), server);
  await writeFile(stage.lab, processLab({ WORD: "one" }));
  const hub = await up(stage, "--no-watch");
  const leave = visit(hub.ingress);
  await writeFile(stage.lab, processLab({ WORD: "two", DIES_MS: "5000" }));
  const applied = await fed(stage, "apply");
  expect(applied.out).toMatch(/web is watched until it has served well for 10 s; the release before it stands by/);
  expect(applied).toMatchObject({
    code: 1,
    out: expect.stringMatching(/dev\/web: release 2 failed: exit code 7, [45]\.\d s after it had become healthy/),
  });
  expect(applied.out).toContain("out of memory, says two");
  const told = await leave();
  expect(told).toEqual({ one: expect.any(Number), two: expect.any(Number) });
  const [rollout] = await rolloutsOf(stage);
  expect(rollout).toMatchObject({ state: "failed", before: { number: 1 } });
  await until("two instances of the first release", async () => {
    const web = (await statusOf(stage)).services.find(({ service }) => service === "web");
    return web?.release === 1 && web.state === "healthy" && web.instances.length === 2 ? true : undefined;
  });
  expect((await ask(hub.ingress, "web.localhost")).body).toBe("one");
}, 120_000);

test("a release that lacks a secret says so at once; the secret begins it, and the next apply finds it done", async () => {
  const stage = await makeStage();
  await writeFile(join(dirname(stage.lab), "serve.mjs"), server);
  await writeFile(stage.lab, processLab({ WORD: "one" }, 'replicas: 2, settle: "0s"'));
  const hub = await up(stage, "--no-watch");
  const leave = visit(hub.ingress);
  await writeFile(stage.lab, processLab({ WORD: { secret: "WORD" } }, 'replicas: 2, settle: "0s"'));
  const lacks =
    "the secret WORD has no value in dev: `fed secret set WORD --env dev` gives it one, and begins this again";
  expect((await fed(stage, "plan")).out).toContain(`dev/web stays at release 1: ${lacks}`);
  const applied = await fed(stage, "apply");
  expect(applied).toMatchObject({
    code: 1,
    out: expect.stringContaining(`dev/web: its next release failed: ${lacks}`),
  });
  // So does a second one, by what is so then.
  expect(await fed(stage, "apply")).toMatchObject({ code: 1, out: expect.stringContaining(lacks) });
  expect(await fed(stage, "deploy", "web", "--wait")).toMatchObject({ code: 1, out: expect.stringContaining(lacks) });

  await writeFile(join(dirname(stage.lab), "word"), "from the vault");
  const set = await fed(stage, "secret", "set", "WORD", "--env", "dev", "--file", join(dirname(stage.lab), "word"));
  expect(set).toMatchObject({ code: 0, out: expect.stringContaining("dev/web waited for it and begins now") });
  expect(await fed(stage, "apply")).toMatchObject({ code: 0 });
  expect((await ask(hub.ingress, "web.localhost")).body).toBe("from the vault");
  expect(await leave()).toEqual({ one: expect.any(Number), "from the vault": expect.any(Number) });
  expect((await fed(stage, "plan")).out).toContain("nothing to do");
}, 120_000);

test("what cannot run twice is watched as well, and the release before it is started again", async () => {
  const stage = await makeStage();
  const alone = 'volumes: { data: {} }, settle: "10s"';
  await writeFile(join(dirname(stage.lab), "serve.mjs"), server);
  await writeFile(stage.lab, processLab({ WORD: "one" }, alone));
  const hub = await up(stage, "--no-watch");
  await writeFile(stage.lab, processLab({ WORD: "two", DIES_MS: "1500" }, alone));
  const applied = await fed(stage, "apply");
  expect(applied.out).toMatch(/web is watched until it has served well for 10 s\n/);
  expect(applied).toMatchObject({
    code: 1,
    out: expect.stringMatching(/release 2 failed: exit code 7, \d\.\d s after it had become healthy/),
  });
  expect((await ask(hub.ingress, "web.localhost")).body).toBe("one");
  expect(await rolloutsOf(stage)).toMatchObject([{ state: "failed", before: { number: 1 } }, { state: "done" }]);
}, 120_000);
