import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import type { WireRelease, WireRollout } from "../../packages/fed/src/wire/release.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, type Stage, up } from "./stage.ts";

/** Images that are built from a folder, promoted from one environment to the next, gone back to and cleared away. */

const without = withoutEngine("docker");

const labText = (socket: string) => `import { build, defineLab, docker, http, server } from "@fed/lab";
export default defineLab({
  name: "shop",
  machines: { hub: server({ address: "local", engine: docker({ socket: "${socket}" }) }) },
  environments: { dev: { machines: ["hub"] }, prod: { machines: ["hub"], promoteFrom: "dev" } },
  services: {
    web: {
      run: build("./web"),
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: { dev: "dev.localhost", prod: "prod.localhost" },
      stopGrace: "1s",
      settle: "200ms",
    },
  },
});
`;

describe.skipIf(without !== "")(`images of a folder${without}`, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine("docker");
  }, 60_000);
  afterAll(() => engine.close(), 60_000);

  async function makeShop() {
    const base = engine.image(["sh", "-c", "exec httpd -f -p 8080 -h /www"]);
    engine.run("tag", base, "localhost/fed-base:1");
    const stage = await makeStage();
    const folder = join(dirname(stage.lab), "web");
    const page = (text: string) => writeFile(join(folder, "index.html"), `${text}\n`);
    await mkdir(folder);
    await writeFile(join(folder, "Dockerfile"), "FROM localhost/fed-base:1\nCOPY index.html /www/index.html\n");
    await page("one");
    await writeFile(stage.lab, labText(engine.socket));
    return { stage, folder, page };
  }

  const fed = (stage: Stage, ...words: readonly string[]) => runFed([...words, "--data", stage.data]);
  const releasesOf = async (stage: Stage, key: string) =>
    JSON.parse((await fed(stage, "releases", key, "--json")).out) as {
      releases: WireRelease[];
      rollouts: WireRollout[];
    };
  const imageIn = (releases: readonly WireRelease[], number: number) => {
    const artifact = releases.find((one) => one.number === number)?.artifact;
    return artifact?.kind === "image" ? artifact.id : undefined;
  };

  test("move from dev to prod as they are, come back exactly, and go when nobody goes back to them", async () => {
    const { stage, folder, page } = await makeShop();
    const hub = await up(stage, "--no-watch");
    const says = async (environment: string) => (await ask(hub.ingress, `${environment}.localhost`)).body.trim();
    expect([await says("dev"), await says("prod")]).toEqual(["one", "one"]);

    await page("two");
    const deployed = await fed(stage, "deploy", "dev/web", "--wait");
    expect(deployed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/✓ build .*web on hub.*release 2 of dev\/web/s),
    });
    expect(deployed.out).toContain("COPY index.html");
    expect([await says("dev"), await says("prod")]).toEqual(["two", "one"]);

    // The folder has moved on: prod gets what serves in dev, not what would be built now.
    await page("three");
    expect((await fed(stage, "deploy", "web", "--env", "prod", "--wait")).code).toBe(0);
    expect(await says("prod")).toBe("two");
    const [dev, prod] = [await releasesOf(stage, "dev/web"), await releasesOf(stage, "prod/web")];
    expect(imageIn(prod.releases, 2)).toBe(imageIn(dev.releases, 2));
    expect(prod.rollouts[0]).toMatchObject({ promotedFrom: "dev", cause: "deploy" });
    const label = (name: string) =>
      engine.run("ps", "--filter", "label=fed.environment=prod", "--format", `{{.Label "${name}"}}`);
    expect(label("fed.release")).toBe(prod.releases[0]?.id);

    await writeFile(join(folder, "Dockerfile"), "FROM localhost/fed-base:1\nRUN exit 7\n");
    const broken = await fed(stage, "deploy", "dev/web", "--wait");
    expect(broken).toMatchObject({ code: 1, out: expect.stringContaining("release 2 serves as before") });
    expect(await says("dev")).toBe("two");
    await writeFile(join(folder, "Dockerfile"), "FROM localhost/fed-base:1\nCOPY index.html /www/index.html\n");

    const back = await fed(stage, "rollback", "prod/web", "--wait");
    expect(back).toMatchObject({ code: 0, out: expect.stringContaining("release 1 of prod/web serves") });
    expect([await says("dev"), await says("prod")]).toEqual(["two", "one"]);
    const status = await fed(stage, "status");
    expect(status.out).toMatch(/prod\/web +healthy +1 \([0-9a-f]{12}\)/);

    // One more than is kept: the image that only the first release in dev has is prod's as well, and stays.
    for (const text of ["four", "five", "six", "seven", "eight"]) {
      await page(text);
      expect((await fed(stage, "deploy", "dev/web", "--wait")).code).toBe(0);
    }
    const kept = await releasesOf(stage, "dev/web");
    expect(kept.releases.map(({ number }) => number)).toEqual([7, 6, 5, 4, 3]);
    const images = engine.run("images", "--no-trunc", "-q", "--filter", "label=fed.service=web").split("\n");
    for (const { artifact } of kept.releases) expect(images).toContain(artifact.kind === "image" ? artifact.id : "");
    expect(images).toContain(imageIn(prod.releases, 1));
    expect(await says("prod")).toBe("one");
    expect((await fed(stage, "down")).code).toBe(0);
    await hub.ending;
    expect(engine.run("ps", "-aq", "--filter", "label=fed.service=web")).toBe("");
  }, 240_000);
});
