import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { HubStatus } from "../../packages/fed/src/wire/status.ts";
import { expectFault, runFed } from "./program.ts";
import { ask, leftBehind, makeStage, statusOf, until, up } from "./stage.ts";

/** The main job on the real start-up path: the launcher, the starter lab, real processes, the real ingress. */

/** Asks without pause until it is stopped; tells how many answers came and which were not what they should be. */
function loadOf(port: number, host: string, agent?: Agent) {
  const bad: string[] = [];
  let count = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      count++;
      try {
        const { status, body } = await ask(port, host, agent);
        if (status !== 200) bad.push(`${host}: ${status} ${body.slice(0, 80)}`);
      } catch (thrown) {
        bad.push(`${host}: ${thrown}`);
      }
      await pause(2);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return { count, bad };
    },
  };
}

const pidOf = (status: HubStatus, service: string) =>
  status.services.find((one) => one.service === service)?.instances.find((one) => one.state === "running")?.pid;

test("20 edits under constant load lose no request", async () => {
  const stage = await makeStage();
  const hub = await up(stage);
  const site = await ask(hub.ingress, "site.localhost");
  expect(site.status).toBe(200);
  expect(site.body).toContain("Hello from the API");
  const agent = new Agent({ keepAlive: true });
  const loads = ["site.localhost", "api.localhost"].flatMap((host) => [
    loadOf(hub.ingress, host, agent),
    loadOf(hub.ingress, host),
  ]);
  for (let edit = 1; edit <= 20; edit++) {
    await stage.edit((text) => text.replaceAll("Hello from the API", `Hello number ${edit}`));
    await until(`edit ${edit}`, async () =>
      (await ask(hub.ingress, "api.localhost")).body.includes(`Hello number ${edit}"`) ? true : undefined,
    );
  }
  const results = await Promise.all(loads.map((load) => load.stop()));
  agent.destroy();
  expect(results.flatMap(({ bad }) => bad)).toEqual([]);
  expect(results.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(500);

  await stage.edit((text) => text.replace("route:", "rout:"));
  await hub.says(/Did you mean "route"\?/);
  expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
  expect((await statusOf(stage)).rejected?.diagnostics).toHaveLength(1);

  hub.child.kill("SIGINT");
  expect((await hub.ending).code).toBe(130);
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("what crashes comes back, and what a killed hub left behind is adopted", async () => {
  const stage = await makeStage();
  const hub = await up(stage);
  const before = pidOf(await statusOf(stage), "api");
  for (const pid of (await leftBehind(stage.data)).filter((one) => one === before)) process.kill(-pid, "SIGKILL");
  await until("the api again", async () => {
    const status = await statusOf(stage);
    const now = pidOf(status, "api");
    return status.ready && now !== before ? now : undefined;
  });
  expect((await ask(hub.ingress, "api.localhost")).status).toBe(200);
  expect((await statusOf(stage)).services.find(({ service }) => service === "api")?.crashes).toBe(1);

  const alive = await statusOf(stage);
  hub.child.kill("SIGKILL");
  await hub.ending;
  const port = alive.services
    .find(({ service }) => service === "api")
    ?.instances.find((one) => one.state === "running")?.port;
  expect((await ask(port ?? 0, "api.localhost")).status).toBe(200);

  const next = await up(stage);
  const adopted = await statusOf(stage);
  expect([pidOf(adopted, "api"), pidOf(adopted, "site")]).toEqual([pidOf(alive, "api"), pidOf(alive, "site")]);
  expect((await ask(next.ingress, "site.localhost")).status).toBe(200);

  expectFault(await runFed(["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"]), 5, "hub");
  const down = await runFed(["down", "--data", stage.data]);
  expect(down).toMatchObject({ code: 0 });
  await next.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("a restart under constant load loses no request, and one that was asked for outlives its hub", async () => {
  const stage = await makeStage();
  const hub = await up(stage);
  const on = ["--data", stage.data];
  const pids = async () => {
    const status = await statusOf(stage);
    return { api: pidOf(status, "api"), site: pidOf(status, "site"), ready: status.ready };
  };
  const replaced = (before: { readonly api: number | undefined }) =>
    until("another api", async () => {
      const now = await pids();
      return now.ready && now.api !== undefined && now.api !== before.api ? now : undefined;
    });
  const first = await pids();
  const load = loadOf(hub.ingress, "api.localhost");
  expect(await runFed(["restart", "dev/api", ...on])).toMatchObject({ code: 0 });
  const second = await replaced(first);
  expect((await load.stop()).bad).toEqual([]);
  expect(second.site).toBe(first.site);
  expect(await runFed(["plan", ...on])).toMatchObject({ code: 0, out: "nothing to do\n" });

  expect(await runFed(["restart", "api", ...on])).toMatchObject({ code: 0 });
  hub.child.kill("SIGKILL");
  await hub.ending;
  const next = await up(stage);
  await replaced(second);
  next.child.kill("SIGINT");
  await next.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("a hub that was asked to end does so, also when who asked has gone", async () => {
  const stage = await makeStage();
  const hub = await up(stage);
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const impatient = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  await fetch(`${hub.url}/api/v1/down`, { method: "POST", headers, signal: impatient.signal });
  impatient.abort();
  expect((await hub.ending).code).toBe(0);
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("plan, apply and logs from another terminal", async () => {
  const stage = await makeStage();
  const hub = await up(stage, "--no-watch");
  const on = ["--data", stage.data];
  expect(await runFed(["plan", ...on])).toMatchObject({ code: 0, out: "nothing to do\n" });
  await stage.edit((text) => text.replaceAll("Hello from the API", "Good evening"));
  const file = join(stage.data, "plan.json");
  const plan = await runFed(["plan", "-o", file, ...on]);
  expect(plan.code).toBe(3);
  expect(plan.out).toMatch(/env\./);
  expect((await runFed(["apply", file, ...on])).code).toBe(0);
  expect((await ask(hub.ingress, "api.localhost")).body).toContain("Good evening");
  expectFault(await runFed(["apply", file, ...on]), 5, "changed since the plan was made");
  expect((await runFed(["logs", "api", ...on])).out).toContain("listens");
  expectFault(await runFed(["logs", "apo", ...on]), 4, "apo");
  expectFault(
    await runFed([
      "up",
      stage.lab,
      "--data",
      join(stage.data, "b"),
      "--port",
      "0",
      "--ingress-port",
      String(hub.ingress),
    ]),
    5,
    String(hub.ingress),
  );
  hub.child.kill("SIGINT");
  await hub.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
});
