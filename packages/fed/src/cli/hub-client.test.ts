import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { holdLock, type Lock } from "#disk/lock.ts";
import { api } from "#wire/api.ts";
import { readEnv } from "./env.ts";
import { gives, openFakeHub, refuses } from "./hub.scene.ts";
import { findService, openClient, openClientForNow } from "./hub-client.ts";
import { openLoginStore } from "./login-store.ts";

const going = () => new AbortController().signal;
const nowhere = { data: undefined, hub: undefined };

function home(variables: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "fed-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = readEnv({ HOME: folder, ...variables }, folder);
  const locks = new Map<string, Lock>();
  const runHub = (url: string | undefined, data = env.dataFolder) => {
    mkdirSync(data, { recursive: true });
    if (!locks.has(data)) locks.set(data, holdLock(join(data, "hub.lock")));
    if (url === undefined) rmSync(join(data, "hub.json"));
    // Its pid is alive whatever becomes of the hub: pids come again, in a container at once.
    else writeFileSync(join(data, "hub.json"), JSON.stringify({ url, ingressUrl: url, pid: process.pid }));
    writeFileSync(join(data, "token"), "local token\n", { mode: 0o600 });
  };
  const killHub = (data = env.dataFolder) => {
    locks.get(data)?.close();
    locks.delete(data);
  };
  onTestFinished(() => {
    for (const data of locks.keys()) killHub(data);
  });
  const user = { id: "usr_1", name: "ada", role: "admin", state: "active", createdMs: 0 } as const;
  const signIn = (url: string, expiresInSeconds = 600) =>
    openLoginStore(env.configFolder).save(url, { accessToken: "ada's", refreshToken: "r", expiresInSeconds, user });
  return { folder, env, runHub, killHub, signIn };
}

/** A hub that lets everybody in and notes what they showed. */
const openHub = () => openFakeHub(() => gives({ machines: [] }));

async function shownTo(
  hub: Awaited<ReturnType<typeof openHub>>,
  flags: Parameters<typeof openClient>[0],
  env: Parameters<typeof openClient>[1],
) {
  const before = hub.asked.length;
  await (await openClient(flags, env, going())).call(api.machines, {});
  return hub.asked.slice(before).map(({ token }) => token);
}

test("the hub of the data folder is shown the folder's token, whatever sign-in there is", async () => {
  const { env, runHub, signIn, folder } = home({ FED_TOKEN: "t" });
  const hub = await openHub();
  await signIn(hub.url);
  runHub(hub.url);
  runHub(hub.url, join(folder, "other"));
  expect(await shownTo(hub, nowhere, env)).toEqual(["local token"]);
  expect(await shownTo(hub, { ...nowhere, data: join(folder, "other") }, env)).toEqual(["local token"]);
});

test("a hub elsewhere is shown FED_TOKEN, and else the sign-in there, never the folder's token", async () => {
  const hub = await openHub();
  const other = await openHub();
  const { env, runHub, signIn } = home();
  runHub(other.url);
  expect(await shownTo(hub, { ...nowhere, hub: hub.url }, env)).toEqual([undefined]);
  await signIn(hub.url);
  expect(await shownTo(hub, { ...nowhere, hub: hub.url }, env)).toEqual(["ada's"]);
  const withToken = readEnv({ HOME: env.cwd, FED_TOKEN: "fed_t", FED_HUB: hub.url }, env.cwd);
  expect(await shownTo(hub, nowhere, withToken)).toEqual(["fed_t"]);
  expect(other.asked).toEqual([]);
});

test("without a hub here it is the one signed in at last; with FED_DATA or --data it never is", async () => {
  const hub = await openHub();
  const { env, signIn, folder } = home();
  await expect(openClient(nowhere, env, going())).rejects.toMatchObject({ code: "unreachable" });
  await signIn(hub.url);
  expect(await shownTo(hub, nowhere, env)).toEqual(["ada's"]);
  const data = join(folder, "none");
  for (const [flags, from] of [
    [{ ...nowhere, data }, env],
    [nowhere, readEnv({ HOME: folder, FED_DATA: data }, folder)],
  ] as const) {
    await expect(openClient(flags, from, going())).rejects.toMatchObject({ message: `no hub runs on ${data}` });
  }
});

test("a hub that comes back on another port is found by the same client", async () => {
  const { env, runHub } = home();
  const first = await openHub();
  runHub(first.url);
  const client = await openClient(nowhere, env, going());
  await client.call(api.machines, {});
  await first.stop();
  await expect(client.call(api.machines, {})).rejects.toMatchObject({ code: "unreachable" });
  const second = await openHub();
  runHub(second.url);
  await client.call(api.machines, {});
  expect(second.asked).toMatchObject([{ token: "local token" }]);
});

test("a hub that was killed is not asked: whoever has its port now must not get the folder's token", async () => {
  const { env, runHub, killHub } = home();
  const other = await openHub();
  runHub(other.url);
  const client = await openClient(nowhere, env, going());
  await client.call(api.machines, {});
  killHub();
  const isDead = { code: "unreachable", message: `the hub of ${env.dataFolder} is dead: it ended without a word` };
  await expect(openClient(nowhere, env, going())).rejects.toMatchObject(isDead);
  await expect(client.call(api.machines, {})).rejects.toMatchObject(isDead);
  expect(other.asked).toHaveLength(1);
});

test("a hub that has not said yet where it is is waited for, and no other one is asked in its place", async () => {
  const { env, runHub, signIn } = home();
  const elsewhere = await openHub();
  await signIn(elsewhere.url);
  runHub(elsewhere.url);
  runHub(undefined);
  await expect(openClient(nowhere, env, going())).rejects.toMatchObject({
    ...{ code: "unreachable", message: expect.stringContaining("is starting or stopping") },
  });
  expect(elsewhere.asked).toEqual([]);
});

test("who has no time exchanges no token", async () => {
  const { env, signIn } = home();
  const hub = await openFakeHub(({ token }) =>
    token === undefined ? refuses("unauthenticated") : gives({ machines: [] }),
  );
  await signIn(hub.url, 10);
  const client = await openClientForNow(env, going());
  await expect(client.call(api.machines, {})).rejects.toMatchObject({ code: "unauthenticated" });
  expect(hub.asked.map(({ path }) => path)).toEqual(["/api/v1/machines"]);
});

test("a service is found by its name, or says what there is", async () => {
  const service = (environment: string, name: string) => ({
    ...{ environment, service: name, state: "healthy", replicas: 1, crashes: 0, instances: [] },
    ...{ spec: "s", urls: [], routes: [] },
  });
  const services = [service("dev", "api"), service("prod", "api"), service("dev", "site")];
  const status = { lab: { name: "ocean", file: "lab.ts", hash: "h" }, services };
  const client = { call: async () => status } as unknown as Parameters<typeof findService>[0];
  expect(await findService(client, "site", going())).toBe(services[2]);
  expect(await findService(client, "prod/api", going())).toBe(services[1]);
  await expect(findService(client, "api", going())).rejects.toMatchObject({ hint: "Say which: dev/api, prod/api." });
  await expect(findService(client, "apo", going())).rejects.toMatchObject({ details: { known: ["api", "site"] } });
});
