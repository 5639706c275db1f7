import { expect, test } from "vitest";
import type { WireRelease, WireRollout } from "../../packages/fed/src/wire/release.ts";
import { runFed } from "./program.ts";
import { ask, leftBehind, makeStage, type Stage, statusOf, until, up } from "./stage.ts";

/** Releases of the starter's api on the real start-up path: the old one serves throughout, and comes back exactly. */

const fed = async (stage: Stage, ...words: readonly string[]) => runFed([...words, "--data", stage.data]);
const releasesOf = async (stage: Stage) =>
  JSON.parse((await fed(stage, "releases", "api", "--json")).out) as {
    releases: WireRelease[];
    rollouts: WireRollout[];
  };
const greeting = (word: string) => (text: string) => text.replace("Hello from the API", `Hello ${word}`);
/** Runs the api by another command. */
const command =
  (...argv: readonly string[]) =>
  (text: string) =>
    text.replace(/process\([^)]*\{ folder: "api" \}\)/, `process(${JSON.stringify(argv)}, { folder: "api" })`);
const says = async (port: number) => (await ask(port, "api.localhost")).body;

test("a release that crashes or is never healthy fails with its last words, and the earlier one serves throughout", async () => {
  const stage = await makeStage();
  const hub = await up(stage, "--no-watch");
  const bad: string[] = [];
  let stopped = false;
  const load = (async () => {
    while (!stopped) {
      const answer = await ask(hub.ingress, "api.localhost").catch((thrown) => ({ status: 0, body: String(thrown) }));
      if (answer.status !== 200 || !answer.body.includes("Hello from the API")) bad.push(answer.body);
    }
  })();

  await stage.edit(command("sh", "-c", "echo no database; exit 3"));
  const crashed = await fed(stage, "apply");
  expect(crashed).toMatchObject({
    code: 1,
    out: expect.stringMatching(/dev\/api: release 2 failed: exit code 3\n {2}no database/),
  });
  const plan = await fed(stage, "plan");
  expect(plan.code).toBe(3);
  expect(plan.out).toContain("api changed: run");
  expect(plan.out).toContain("dev/api stays at release 1");

  const hangs = command("sh", "-c", "echo waiting; sleep 600");
  await stage.edit((text) => hangs(text).replaceAll('timeout: "2s"', 'timeout: "2s", within: "3s"'));
  const never = await fed(stage, "apply");
  expect(never).toMatchObject({ code: 1, out: expect.stringMatching(/release 3 failed: not healthy within 3 s/) });
  const { rollouts } = await releasesOf(stage);
  expect(rollouts.map(({ state }) => state)).toEqual(["failed", "failed", "done"]);
  expect(rollouts[0]).toMatchObject({ output: expect.stringContaining("waiting"), before: { number: 1 } });
  stopped = true;
  await load;
  expect(bad).toEqual([]);
  // Of the two that failed nothing is left: the page's process and the api's.
  const { services } = await statusOf(stage);
  expect(services.map(({ state }) => state)).toEqual(services.map(() => "healthy"));
  expect(services.flatMap(({ instances }) => instances).map(({ state }) => state)).toEqual(
    services.map(() => "running"),
  );
}, 180_000);

test("a rollback restores the exact release after the lab has changed; a deploy ends it, a killed hub does not", async () => {
  const stage = await makeStage();
  const first = await up(stage, "--no-watch");
  const { services } = await statusOf(stage);
  const specOf = (of: typeof services) => of.find(({ service }) => service === "api")?.instances[0]?.spec;
  const spec = specOf(services);
  await stage.edit(greeting("two"));
  expect((await fed(stage, "apply")).code).toBe(0);
  expect(await says(first.ingress)).toContain("Hello two");

  const back = await fed(stage, "rollback", "api", "--wait");
  expect(back).toMatchObject({ code: 0, out: expect.stringMatching(/release 1 of dev\/api serves/) });
  expect(await says(first.ingress)).toContain("Hello from the API");
  expect(specOf((await statusOf(stage)).services)).toBe(spec);
  const diff = await fed(stage, "releases", "api", "1", "2");
  expect(diff.out).toMatch(/^- env\.GREETING: Hello from the API\n\+ env\.GREETING: Hello two$/m);

  first.child.kill("SIGKILL");
  await first.ending;
  const second = await up(stage, "--no-watch");
  expect(await says(second.ingress)).toContain("Hello from the API");
  expect((await releasesOf(stage)).releases.filter(({ wanted }) => wanted)).toMatchObject([{ number: 1 }]);
  const deployed = await fed(stage, "deploy", "dev/api", "--wait");
  expect(deployed).toMatchObject({ code: 0, out: expect.stringMatching(/release 3 of dev\/api serves/) });
  expect(await says(second.ingress)).toContain("Hello two");
  second.child.kill("SIGINT");
  await second.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
}, 180_000);

test("a rollout that a hub was killed in goes on under the next one; a cancelled one leaves the earlier release", async () => {
  const stage = await makeStage();
  const first = await up(stage, "--no-watch");
  // It answers only after a while: there is time to kill and to cancel.
  const slow = command("sh", "-c", "sleep 5; exec node server.mjs");
  await stage.edit((text) => greeting("late")(slow(text)));
  const applying = fed(stage, "apply");
  await until("the rollout", async () => {
    const { rollouts } = await releasesOf(stage);
    return rollouts[0]?.state === "rolling" ? true : undefined;
  });
  first.child.kill("SIGKILL");
  await Promise.all([first.ending, applying]);
  const second = await up(stage, "--no-watch");
  await until("its end", async () => ((await releasesOf(stage)).rollouts[0]?.state === "done" ? true : undefined));
  expect(await says(second.ingress)).toContain("Hello late");
  const { releases } = await releasesOf(stage);
  expect(releases.map(({ number, wanted }) => [number, wanted])).toEqual([
    [2, true],
    [1, false],
  ]);

  await fed(stage, "deploy", "api");
  expect(await fed(stage, "deploy", "api")).toMatchObject({ code: 5, err: expect.stringContaining("is under way") });
  expect(await fed(stage, "cancel", "api")).toMatchObject({
    code: 0,
    out: expect.stringContaining("release 2 serves"),
  });
  await until("one instance", async () => {
    const api = (await statusOf(stage)).services.find(({ service }) => service === "api");
    return api?.instances.length === 1 && api.state === "healthy" ? true : undefined;
  });
  expect(await says(second.ingress)).toContain("Hello late");
}, 180_000);
