import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { isFault } from "../../packages/fed/src/base/fault.ts";
import { api } from "../../packages/fed/src/wire/api.ts";
import { makeClient } from "../../packages/fed/src/wire/client.ts";
import { problemType } from "../../packages/fed/src/wire/problem.ts";
import { expectFault, runFed } from "./program.ts";
import { mountSmallDisk, withoutSmallDisk } from "./small-disk.ts";
import { ask, leftBehind, makeStage, type Stage, statusOf, until, up } from "./stage.ts";

/** The disk of the data folder is full: wishes are refused, all else goes on, and writing resumes by itself. */

const sizeMiB = 32;
/** The hub looks for room every 2 s. */
const recoveryMs = 5_000;

async function clientOf(stage: Stage, url: string) {
  const token = (await readFile(join(stage.data, "token"), "utf8")).trim();
  return { token, client: makeClient({ url, token }) };
}

test.skipIf(withoutSmallDisk !== "")(
  `a disk that is full: refused, told, read, served, and on again when there is room${withoutSmallDisk}`,
  async () => {
    const stage = await makeStage();
    const disk = mountSmallDisk(stage.data, sizeMiB);
    const hub = await up(stage);
    const { client, token } = await clientOf(stage, hub.url);
    const kept: string[] = [];
    const create = async () => kept.push((await client.call(api.createToken, { name: "t" })).token.id);
    await create();

    disk.fill();
    // The log of the database has some room of its own left.
    const refusal = await untilRefused(create);
    expect(refusal).toMatchObject({ code: "unreachable", message: expect.stringContaining("the disk is full") });
    expect(refusal.hint).toMatch(/Make room: df -h '.+'/);
    expect(await rawRefusal(hub.url, token)).toEqual({ status: 503, type: problemType, code: "unreachable" });
    const wishes = [
      () => client.call(api.addUser, { name: "ada", role: "admin" }),
      () => client.call(api.restart, { environment: "dev", service: "api" }),
      () => client.call(api.rescue, {}),
      () => client.call(api.ready, {}),
    ];
    for (const wish of wishes) await expect(wish()).rejects.toMatchObject({ code: "unreachable" });

    const status = await statusOf(stage);
    expect(status.diskFull).toMatchObject({ folder: stage.data });
    expect(status.diskFull?.refused).toBeGreaterThanOrEqual(4);
    const shown = await runFed(["status", "--data", stage.data]);
    expect(shown).toMatchObject({
      code: 3,
      out: expect.stringMatching(/The disk has been full for \d+ s: .+ refused\. Make room/),
    });
    expectFault(await runFed(["token", "create", "x", "--data", stage.data]), 7, "the disk is full");

    const { tokens } = await client.call(api.tokens, {});
    expect(tokens.map(({ id }) => id).sort()).toEqual(kept.toSorted());
    expect((await client.call(api.users, {})).users).toEqual([]);
    expect(await client.call(api.verifyEvents, {})).toMatchObject({ kind: "sound" });
    expect((await client.call(api.machine, { name: "here" })).state).toBe("online");
    expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
    await stage.edit((text) => text.replaceAll("Hello from the API", "Good evening"));

    disk.empty();
    await until("room", async () => ((await statusOf(stage)).diskFull ? undefined : true), recoveryMs);
    await until("the edit", async () =>
      (await ask(hub.ingress, "api.localhost")).body.includes("Good evening") ? true : undefined,
    );
    await create();
    const { tokens: after } = await client.call(api.tokens, {});
    expect(after.map(({ id }) => id).sort()).toEqual(kept.toSorted());
    const { events } = await client.call(api.events, { type: "hub.diskFull" });
    expect(events).toHaveLength(1);
    expect(await client.call(api.verifyEvents, {})).toMatchObject({ kind: "sound" });
    expect(await client.call(api.ready, {})).toEqual({ status: "ready" });
    hub.child.kill("SIGINT");
    expect((await hub.ending).code).toBe(130);
    expect(await leftBehind(stage.data)).toEqual([]);
  },
);

test.skipIf(withoutSmallDisk !== "")(
  `a start on a full disk says so and harms nothing, the first one and a later one${withoutSmallDisk}`,
  async () => {
    const stage = await makeStage();
    const disk = mountSmallDisk(stage.data, sizeMiB);
    const words = ["up", stage.lab, "--data", stage.data, "--port", "0", "--ingress-port", "0"];
    const expectNoStart = async () => {
      const ending = await runFed(words);
      expectFault(ending, 7, "the disk is full");
      expect(ending.err).toMatch(/Make room \(df -h '.+'\) and start fed again/);
    };
    disk.fill();
    await expectNoStart();
    disk.empty();

    const hub = await up(stage);
    const { client } = await clientOf(stage, hub.url);
    const { token } = await client.call(api.createToken, { name: "t" });
    hub.child.kill("SIGKILL");
    await hub.ending;
    const running = await leftBehind(stage.data);
    disk.fill();
    await expectNoStart();
    expect(await leftBehind(stage.data)).toEqual(running);
    disk.empty();

    const again = await up(stage);
    expect(await leftBehind(stage.data)).toEqual(running);
    const { client: next } = await clientOf(stage, again.url);
    expect((await next.call(api.tokens, {})).tokens).toMatchObject([{ id: token.id }]);
    expect(await next.call(api.verifyEvents, {})).toMatchObject({ kind: "sound" });
    again.child.kill("SIGINT");
    await again.ending;
    expect(await leftBehind(stage.data)).toEqual([]);
  },
);

test.skipIf(withoutSmallDisk !== "")(
  `what crashes while the disk is full comes back when there is room, and a full hub stops cleanly${withoutSmallDisk}`,
  async () => {
    const stage = await makeStage();
    const disk = mountSmallDisk(stage.data, sizeMiB);
    const hub = await up(stage);
    const { client } = await clientOf(stage, hub.url);
    // Stands for what failed too often while the disk was full: that takes a minute.
    await stage.edit((text) => text.replace("api: {", "late: { run: process('./late') },\n    api: {"));
    await until("the end of all tries", async () => ((await stateOf(stage, "late")) === "gave up" ? true : undefined));
    disk.fill();
    await untilRefused(() => client.call(api.createToken, { name: "t" }));
    await writeFile(join(dirname(stage.lab), "late"), "#!/bin/sh\nexec sleep 100000\n", { mode: 0o755 });
    for (const pid of await leftBehind(stage.data)) process.kill(pid, "SIGKILL");
    await until("the crash", async () => ((await statusOf(stage)).ready ? undefined : true));
    disk.empty();
    await until("all services", async () => {
      const { ready, diskFull } = await statusOf(stage);
      return ready && !diskFull ? true : undefined;
    });
    expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
    expect(await client.call(api.verifyEvents, {})).toMatchObject({ kind: "sound" });

    disk.fill();
    await untilRefused(() => client.call(api.createToken, { name: "t" }));
    hub.child.kill("SIGINT");
    expect((await hub.ending).code).toBe(130);
    expect(await leftBehind(stage.data)).toEqual([]);
  },
);

async function stateOf(stage: Stage, service: string): Promise<string | undefined> {
  return (await statusOf(stage)).services.find((one) => one.service === service)?.state;
}

async function untilRefused(write: () => Promise<unknown>) {
  for (let tries = 0; tries < 5_000; tries++) {
    try {
      await write();
    } catch (thrown) {
      if (isFault(thrown)) return thrown;
      throw thrown;
    }
  }
  throw new Error("nothing was refused");
}

/** A refused wish as any HTTP client sees it. */
async function rawRefusal(url: string, token: string) {
  const response = await fetch(url + api.createToken.path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"name":"t"}',
  });
  const { code } = (await response.json()) as { readonly code: string };
  return { status: response.status, type: response.headers.get("content-type")?.split(";")[0], code };
}
