import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type Engine, startEngine, withoutEngine } from "#port/engine.scene.ts";
import type { ImageStore } from "#port/image.ts";
import { openPodmanImages } from "./image.ts";

const missing = withoutEngine("podman");

/** What is left of builds that came to nothing; of Docker's see image-build.test.ts. */
describe.skipIf(missing !== "")(`builds of podman that come to nothing${missing}`, () => {
  let engine: Engine;
  let store: ImageStore;
  beforeAll(async () => {
    engine = await startEngine("podman");
    store = openPodmanImages({ socket: { kind: "unix", path: engine.socket }, clock: systemClock });
  }, 60_000);
  afterAll(() => engine?.close(), 60_000);

  const makeFolder = (run: string) => {
    const folder = mkdtempSync(join(tmpdir(), "fed-build-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    copyFileSync("/bin/busybox", join(folder, "sh"));
    writeFileSync(join(folder, "Dockerfile"), `FROM scratch\nCOPY sh /bin/sh\nRUN ["/bin/sh", "-c", "${run}"]\n`);
    return folder;
  };

  /** What was made on the way is told from what is kept, and goes. */
  async function expectRemovable(label: string) {
    const signal = AbortSignal.timeout(30_000);
    for (const image of await store.list({ "fed.test": label }, signal)) {
      expect(image).toMatchObject({ kept: false, names: [] });
      await store.remove(image.id, signal);
    }
    expect(await store.list({ "fed.test": label }, signal)).toEqual([]);
  }

  it("end when they are given up", async () => {
    const mark = randomUUID();
    const folder = makeFolder(`echo begun; : ${mark}; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`);
    const controller = new AbortController();
    const running = () =>
      execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(`sh -c echo begun; : ${mark}`);
    const lines: string[] = [];
    const say = (line: string) => {
      lines.push(line);
      if (line === "begun") controller.abort("enough");
    };
    const built = store.build({ folder, labels: { "fed.test": "given-up" } }, say, controller.signal);
    await expect(built, lines.join("\n")).rejects.toBe("enough");
    await vi.waitFor(() => expect(running()).toBe(false), 60_000);
    // Podman goes on to the next step before it hears that nobody waits any more, and has a container of its own until then.
    await vi.waitFor(() => expect(engine.run("ps", "-aq", "--external")).toBe(""), 60_000);
    await expectRemovable("given-up");
  });

  it("leave what can be told when they fail", async () => {
    const folder = makeFolder("exit 3");
    await expect(
      store.build({ folder, labels: { "fed.test": "failed" } }, () => {}, AbortSignal.timeout(60_000)),
    ).rejects.toMatchObject({ code: "invalid" });
    await expectRemovable("failed");
  });
});
