import { open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { openControl } from "../../packages/fed/src/hub/db/db.ts";
import type { LoopStatus } from "../../packages/fed/src/wire/loop.ts";
import type { HubStatus } from "../../packages/fed/src/wire/status.ts";
import { loadOf } from "./asking.ts";
import { expectFault, repository, runFed, startProgram } from "./program.ts";
import { ask, leftBehind, makeStage, statusOf, until, up } from "./stage.ts";

/** The main job on the real start-up path: the launcher, the starter lab, real processes, the real ingress. */

const pidOf = (status: HubStatus, service: string) =>
  status.services.find((one) => one.service === service)?.instances.find((one) => one.state === "running")?.pid;

test("20 edits under constant load lose no request", async () => {
  const stage = await makeStage();
  const hub = await up(stage);
  const site = await ask(hub.ingress, "site.localhost");
  expect(site.status).toBe(200);
  expect(site.body).toContain("Hello from the API");
  const loads = ["site.localhost", "api.localhost"].flatMap((host) => [
    loadOf(hub.ingress, host),
    loadOf(hub.ingress, host, "fresh"),
  ]);
  for (let edit = 1; edit <= 20; edit++) {
    await stage.edit((text) => text.replaceAll("Hello from the API", `Hello number ${edit}`));
    await until(`edit ${edit}`, async () =>
      (await ask(hub.ingress, "api.localhost")).body.includes(`Hello number ${edit}"`) ? true : undefined,
    );
  }
  const results = await Promise.all(loads.map((stop) => stop()));
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
  const stopLoad = loadOf(hub.ingress, "api.localhost", "fresh");
  expect(await runFed(["restart", "dev/api", ...on])).toMatchObject({ code: 0 });
  const second = await replaced(first);
  expect((await stopLoad()).bad).toEqual([]);
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

/** A service that does not end when it is asked to, and is killed `grace` after. */
const stubborn = (grace: string) => (text: string) => {
  const program = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6)";
  const service = `{ run: process(["node", "-e", ${JSON.stringify(program)}]), stopGrace: "${grace}" }`;
  return text.replace("site: {", `mule: ${service},\n    site: {`);
};

async function upWithMule(grace: string) {
  const stage = await makeStage();
  await stage.edit(stubborn(grace));
  const hub = await up(stage);
  const before = await statusOf(stage);
  // It must have come to the line that makes it deaf.
  await pause(500);
  return { stage, hub, mule: pidOf(before, "mule"), before };
}

test("SIGTERM ends the hub within five seconds; what is slow to end runs on, is told, and is taken over", async () => {
  const { stage, hub, mule } = await upWithMule("1m");
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const stream = await fetch(`${hub.url}/api/v1/events/stream`, { headers });
  const beganMs = performance.now();
  hub.child.kill("SIGTERM");
  await stream.text().catch(() => undefined);
  expect(performance.now() - beganMs, "the stream").toBeLessThan(2_000);
  const ending = await hub.ending;
  expect(performance.now() - beganMs, "the hub").toBeLessThan(5_000);
  expect(ending.code).toBe(143);
  expect(ending.err).toContain("waiting for dev/mule: asked to end");
  expect(ending.err).toContain("left running: dev/mule; the next `fed up` takes it over");
  expect(await leftBehind(stage.data)).toContain(mule);

  const next = await up(stage);
  expect(pidOf(await statusOf(stage), "mule")).toBe(mule);
  const events = (await runFed(["events", "--json", "--type", "hub.", "--data", stage.data])).out.trim();
  expect(events).toMatch(/"hub\.leftRunning".*"services":"dev\/mule"/);
  expect(events).toMatch(/"hub\.stopping".*"ended by SIGTERM"/);
  for (const pid of await leftBehind(stage.data)) if (pid === mule) process.kill(-pid, "SIGKILL");
  next.child.kill("SIGINT");
  await next.ending;
});

test("Ctrl-C waits for what is slow to end, says so, and kills it when its time is over", async () => {
  const { stage, hub, mule } = await upWithMule("6s");
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const headers = { authorization: `Bearer ${token}` };
  const stream = await fetch(`${hub.url}/api/v1/events/stream`, { headers });
  const beganMs = performance.now();
  hub.child.kill("SIGINT");
  await stream.text().catch(() => undefined);
  expect(performance.now() - beganMs, "the stream").toBeLessThan(2_000);
  await expect(fetch(`${hub.url}/health`)).rejects.toThrow();
  expect(await leftBehind(stage.data)).toContain(mule);
  const ending = await hub.ending;
  expect(performance.now() - beganMs).toBeGreaterThan(5_900);
  expect(performance.now() - beganMs).toBeLessThan(12_000);
  expect(ending).toMatchObject({ code: 130, err: expect.stringContaining("waiting for dev/mule: asked to end") });
  expect(ending.err).not.toContain("left running");
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("fed down hears of the stop to its end, while other streams end at once, and the log says who asked", async () => {
  const { stage, hub } = await upWithMule("6s");
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  const stream = await fetch(`${hub.url}/api/v1/events/stream`, { headers: { authorization: `Bearer ${token}` } });
  const beganMs = performance.now();
  const down = runFed(["down", "--data", stage.data]);
  await stream.text().catch(() => undefined);
  expect(performance.now() - beganMs, "the stream").toBeLessThan(3_000);
  expect(await down).toMatchObject({
    code: 0,
    out: expect.stringMatching(/stop dev\/mule [\s\S]+the hub has stopped/),
  });
  expect(performance.now() - beganMs).toBeGreaterThan(5_900);
  expect((await hub.ending).code).toBe(0);
  expect(await leftBehind(stage.data)).toEqual([]);

  const next = await up(stage);
  const { out } = await runFed(["events", "--json", "--type", "hub.stopping", "--data", stage.data]);
  expect(JSON.parse(out.trim())).toMatchObject({ actor: "local", data: { reason: "asked to" } });
  next.child.kill("SIGKILL");
  await next.ending;
});

test("a start with a bad file runs the last good lab and shows what is wrong; the mended file is taken", async () => {
  const stage = await makeStage();
  const words = ["up", "--data", stage.data, "--port", "0", "--ingress-port", "0"];
  await stage.edit((text) => text.replace("route:", "rout:"));
  const refused = await runFed([...words, stage.lab]);
  expect(refused).toMatchObject({ code: 2, out: expect.stringContaining('Did you mean "route"?') });
  await stage.edit((text) => text);
  const first = await up(stage);
  first.child.kill("SIGINT");
  await first.ending;

  await stage.edit((text) => text.replace("route:", "rout:"));
  const hub = await up(stage);
  expect(await hub.says(/Did you mean "route"\?[\s\S]+the last good lab keeps running/)).toBeTruthy();
  expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
  expect((await statusOf(stage)).rejected?.diagnostics).toHaveLength(1);
  await stage.edit((text) => text.replaceAll("Hello from the API", "mended"));
  await until("the mended lab", async () => {
    const { body } = await ask(hub.ingress, "api.localhost");
    return body.includes("mended") && (await statusOf(stage)).rejected === undefined ? true : undefined;
  });
  hub.child.kill("SIGINT");
  await hub.ending;

  await rm(stage.lab);
  const without = await up(stage);
  await without.says(/there is no lab at [\s\S]+the last good lab keeps running/);
  expect((await ask(without.ingress, "api.localhost")).body).toContain("mended");
  without.child.kill("SIGINT");
  await without.ending;

  const inFolder = startProgram(join(repository, "fed"), words, { cwd: dirname(stage.lab) });
  await inFolder.says(/there is no lab at [\s\S]+the last good lab keeps running[\s\S]+ready api=/);
  inFolder.child.kill("SIGINT");
  await inFolder.ending;
  expect(await leftBehind(stage.data)).toEqual([]);
});

test("a database that is found damaged is written to no more: all says so, what runs goes on, no start passes it by", async () => {
  const stage = await makeStage();
  const on = ["--data", stage.data];
  const first = await up(stage);
  first.child.kill("SIGINT");
  await first.ending;
  // So large that a start after a good end does not check it.
  const db = openControl(stage.data);
  db.tx((tx) => {
    tx.script("CREATE TABLE large (a BLOB) STRICT");
    for (let n = 0; n < 66; n++) tx.run("INSERT INTO large VALUES (zeroblob(1048576))");
  });
  db.close();
  const file = await open(join(stage.data, "control.db"), "r+");
  await file.write(Buffer.alloc(4096, 0xa5), 0, 4096, 40 * 2 ** 20);
  await file.close();

  const hub = await up(stage);
  const status = await until("the damage", async () => {
    const now = await statusOf(stage);
    return now.damaged ? now : undefined;
  });
  expect(status.damaged).toMatchObject({
    message: expect.stringContaining("control.db is damaged"),
    hint: expect.stringMatching(/begin anew.+\n {2}mkdir -m 700/),
  });
  expect((await fetch(`${hub.url}/ready`)).status).toBe(503);
  const headers = { authorization: `Bearer ${(await readFile(join(stage.data, "token"), "utf8")).trim()}` };
  const { loops } = (await (await fetch(`${hub.url}/api/v1/loops`, { headers })).json()) as { loops: LoopStatus[] };
  const outcomeOf = (loop: string) => loops.find(({ name }) => name === loop)?.last?.outcome;
  expect(["db.check", "service.reconcile", "service.check"].map(outcomeOf)).toEqual(["failed", "ok", "ok"]);
  const metrics = await (await fetch(`${hub.url}/metrics`, { headers })).text();
  expect(metrics).toContain('fed_loop_last_outcome{loop="db.check",outcome="failed"} 1');
  expect(metrics).toContain('fed_loop_last_outcome{loop="service.reconcile",outcome="ok"} 1');
  expect(await runFed(["status", ...on])).toMatchObject({ code: 3, out: expect.stringContaining("mkdir -m 700") });
  expectFault(await runFed(["token", "create", "t", ...on]), 7, "nothing is written any more");
  expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
  hub.child.kill("SIGINT");
  const { code, err } = await hub.ending;
  expect([code, await leftBehind(stage.data)]).toEqual([130, []]);
  expect(err).toMatch(/error: the control database .+ is damaged[\s\S]+mkdir -m 700/);
  const again = await runFed(["up", stage.lab, ...on, "--port", "0", "--ingress-port", "0"]);
  expectFault(again, 2, "is damaged");
});
