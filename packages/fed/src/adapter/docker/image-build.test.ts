import { execFileSync } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair, pipeline } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type Engine, startEngine, withoutEngine } from "#port/engine.scene.ts";
import type { ImageStore } from "#port/image.ts";
import { openDockerImages } from "./image.ts";
import { startTokenRegistry } from "./token-registry.scene.ts";

const going = () => new AbortController().signal;
const missing = withoutEngine("docker");
const bridge = `fed${randomInt(1e9)}`;

/** What Docker's builds are beyond the contract of all engines. */
describe.skipIf(missing !== "")(`builds of docker${missing}`, () => {
  let engine: Engine;
  let store: ImageStore;
  beforeAll(async () => {
    // A command of a build wants a network; one of its own, so that no rule of this machine changes.
    execFileSync("ip", ["link", "add", bridge, "type", "bridge"]);
    execFileSync("ip", ["address", "add", "10.253.77.1/28", "dev", bridge]);
    engine = await startEngine("docker", { words: ["--bridge", bridge] });
    store = openDockerImages({ socket: { kind: "unix", path: engine.socket }, clock: systemClock });
  }, 60_000);
  afterAll(async () => {
    await engine?.close();
    execFileSync("ip", ["link", "delete", bridge]);
  }, 60_000);

  const build = async (files: Readonly<Record<string, string>>, lines: string[] = []) => {
    const folder = mkdtempSync(join(tmpdir(), "fed-build-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, "bin"));
    copyFileSync("/bin/busybox", join(folder, "bin/sh"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return store.build({ folder, labels: { "fed.lab": "ocean" } }, (line) => lines.push(line), going());
  };

  it("begin with an image of a registry that hands out tokens", async () => {
    const registry = await startTokenRegistry();
    onTestFinished(registry.close);
    const image = await build({ Dockerfile: `FROM ${registry.address}/base:1\nCOPY more /more\n`, more: "x" });
    expect(image.layers).toHaveLength(2);
    expect(registry.tokens()).toBeGreaterThan(0);
    expect((await buffer(store.save(image.id, {}, going()))).includes("told by a token")).toBe(true);
  });

  it("go over any connection that leads to the engine", async () => {
    const registry = await startTokenRegistry();
    onTestFinished(registry.close);
    const direct = store;
    // As a channel of SSH is: bytes both ways, and nothing of a socket.
    const dial = async () => {
      const socket = createConnection({ path: engine.socket });
      await once(socket, "connect");
      const [near, far] = duplexPair();
      pipeline(socket, far, socket, () => near.destroy());
      return near.once("close", () => socket.destroy());
    };
    store = openDockerImages({ socket: { kind: "dial", dial }, clock: systemClock });
    onTestFinished(() => {
      store = direct;
    });
    const image = await build({ Dockerfile: `FROM ${registry.address}/base:1\nCOPY more /more\n`, more: "far" });
    expect(await direct.find(image.id, going())).toEqual(image);
    expect((await buffer(store.save(image.id, {}, going()))).includes("told by a token")).toBe(true);
    expect(await store.load(store.save(image.id, {}, going()), image.id, going())).toEqual(image);
  });

  it("know what only BuildKit does, and say what commands print", async () => {
    const lines: string[] = [];
    const run = 'RUN --mount=type=cache,target=/kept ["sh", "-c", "echo made; echo aside >&2; echo a > /kept/a"]';
    await build({ Dockerfile: `FROM scratch\nCOPY bin /bin\n${run}\n` }, lines);
    expect(lines).toEqual(expect.arrayContaining(["made", "aside"]));
    expect(lines.filter((line) => line.includes("COPY bin /bin"))).toHaveLength(1);
    expect(lines.join("\n")).toMatch(/the folder is \d\.\d MB/);
  });

  it("fail with the last that a command said", async () => {
    const run = 'RUN ["sh", "-c", "echo nearly there; echo broken; exit 3"]';
    const failed = build({ Dockerfile: `FROM scratch\nCOPY bin /bin\n${run}\n` });
    await expect(failed).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/^the build failed: .*exit code: 3/),
      details: { output: expect.stringMatching(/nearly there\n(.*\n)*broken/) },
    });
  });

  it("end when they are given up, and leave nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fed-build-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    copyFileSync("/bin/busybox", join(folder, "sh"));
    const mark = randomUUID();
    writeFileSync(
      join(folder, "Dockerfile"),
      `FROM scratch\nCOPY sh /bin/sh\nRUN ["sh", "-c", "echo begun; : ${mark}; while :; do :; done"]\n`,
    );
    const controller = new AbortController();
    let ran = false;
    const running = () =>
      execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(`sh -c echo begun; : ${mark}`);
    const say = (line: string) => {
      if (line !== "begun") return;
      ran = running();
      controller.abort("enough");
    };
    const built = store.build({ folder, labels: { "fed.test": "given-up" } }, say, controller.signal);
    await expect(built).rejects.toBe("enough");
    expect(ran).toBe(true);
    await vi.waitFor(() => expect(running()).toBe(false), 10_000);
    expect(await store.list({ "fed.test": "given-up" }, going())).toEqual([]);
  });

  it("stay when images without a name are cleared", async () => {
    const image = await build({ Dockerfile: "FROM scratch\nCOPY kept /kept\n", kept: "for a rollback" });
    engine.run("image", "prune", "-f");
    expect(await store.find(image.id, going())).toEqual(image);
    await store.remove(image.id, going());
    expect(engine.run("images", "-q", "--no-trunc")).not.toContain(image.id);
  });
});
