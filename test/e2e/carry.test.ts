import { mkdir, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import type { WireRelease } from "../../packages/fed/src/wire/release.ts";
import { entry, runFed, startProgram } from "./program.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import type { Sshd } from "./sshd-server.ts";
import { ask, makeStage, type Stage, until, up } from "./stage.ts";

/**
 * An image that is built here and carried to another machine by SSH: the second version's own layer alone, a line that breaks half-way,
 * and with FED_PROOF=1 what is too old cleared away on both; then also between engines of either kind, and a larger image.
 */

const isProof = process.env.FED_PROOF === "1";
const ways: readonly (readonly [here: EngineKind, there: EngineKind])[] = isProof
  ? [
      ["docker", "podman"],
      ["podman", "docker"],
      ["docker", "docker"],
      ["podman", "podman"],
    ]
  : [["docker", "podman"]];
const without = withoutEngine("docker") || withoutEngine("podman") || withoutSshd;
/** Of a layer of the first version, and of the one whose way is cut. */
const layerBytes = (isProof ? 512 : 64) * 2 ** 20;

function labText(here: Engine, there: Engine, sshd: Sshd): string {
  const login = `address: "${sshd.host}", port: ${sshd.port}, user: "root", key: "${sshd.key}"`;
  return `import { build, defineLab, docker, http, podman, server } from "@fed/lab";
export default defineLab({
  name: "far",
  machines: {
    hub: server({ address: "local", engine: ${here.kind}({ socket: "${here.socket}" }) }),
    node5: server({ ${login}, engine: ${there.kind}({ socket: "${there.socket}" }) }),
  },
  environments: { dev: { machines: ["hub", "node5"] } },
  services: {
    web: {
      run: build("./web"),
      on: "node5",
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "web.localhost",
      stopGrace: "1s",
      settle: "0s",
    },
  },
});
`;
}

describe.skipIf(without !== "").each(ways)(`images carried by SSH, %s to %s${without}`, (here, there) => {
  const engines: Engine[] = [];
  beforeAll(async () => {
    for (const kind of [here, there]) engines.push(await startEngine(kind));
  }, 60_000);
  afterAll(async () => {
    for (const engine of engines) await engine.close();
  }, 60_000);

  const fed = (stage: Stage, ...words: readonly string[]) => runFed([...words, "--data", stage.data]);
  /** Megabytes that went over the line, by what the rollout said at each end of a carrying. */
  const carriedIn = (text: string) =>
    [...text.matchAll(/^ *carried ([\d.]+) (kB|MB)$/gm)].map(
      ([, size, unit]) => Number(size) / (unit === "kB" ? 1_000 : 1),
    );
  const imagesOf = (engine: Engine) =>
    new Set(engine.run("images", "-q", "--no-trunc", "--filter", "label=fed.service=web").split("\n").filter(Boolean));

  test("arrive, the second as its own layer alone; a line that breaks half-way leaves nothing broken", async () => {
    const [builder, runner] = engines;
    if (!builder || !runner) throw new Error("no engines");
    builder.run("tag", builder.image(["sh", "-c", "exec httpd -f -p 8080 -h /www"]), "localhost/fed-base:1");
    const sshd = await startSshd();
    const stage = await makeStage();
    const folder = join(dirname(stage.lab), "web");
    const page = (text: string) => writeFile(join(folder, "index.html"), `${text}\n`);
    const fill = (name: string) =>
      writeFile(join(folder, name), name).then(() => truncate(join(folder, name), layerBytes));
    const layers = (...names: readonly string[]) =>
      writeFile(
        join(folder, "Dockerfile"),
        ["FROM localhost/fed-base:1", ...names.map((name) => `COPY ${name} /${name}`), "COPY index.html /www/"].join(
          "\n",
        ),
      );
    await mkdir(folder);
    await fill("first");
    await layers("first");
    await page("one");
    await writeFile(stage.lab, labText(builder, runner, sshd));
    const hub = await up(stage, "--no-watch");
    const serves = (text: string) =>
      until(
        text,
        async () => ((await ask(hub.ingress, "web.localhost")).body === `${text}\n` ? true : undefined),
        30_000,
      );
    await serves("one");

    await page("two");
    const second = await fed(stage, "deploy", "web", "--wait");
    expect(second, second.out).toMatchObject({ code: 0 });
    await serves("two");
    expect(second.out).toMatch(/\d of \d layers are there already/);
    const [smallMb = Number.NaN] = carriedIn(second.out);
    expect(smallMb).toBeLessThan(1);

    // Another large layer, cut once a part of it has gone over; the machine is back in a moment.
    await fill("second");
    await layers("first", "second");
    await page("three");
    const deploy = startProgram(process.execPath, [entry, "deploy", "web", "--wait", "--data", stage.data]);
    await deploy.says(/carried [\d.]+ MB of at most [\d.]+ MB/);
    await sshd.kill();
    expect((await deploy.says(/✗ carry the image from hub to node5/)).index).toBeGreaterThan(0);
    await sshd.restart();
    const third = await deploy.ending;
    expect(third, third.out).toMatchObject({ code: 0 });
    await serves("three");
    const largeMb = carriedIn(third.out).at(-1) ?? Number.NaN;
    expect(largeMb).toBeGreaterThan((0.99 * layerBytes) / 1e6);
    expect(largeMb).toBeLessThan((1.1 * layerBytes) / 1e6);
    process.stdout.write(
      `carried ${here} to ${there}: a second version ${smallMb} MB, one with a layer of ${layerBytes / 1e6} MB ${largeMb} MB\n`,
    );

    // What nobody goes back to goes on both machines; what came over the cut line left nothing.
    const more = isProof ? ["four", "five", "six", "seven"] : [];
    for (const text of more) {
      await page(text);
      expect(await fed(stage, "deploy", "web", "--wait")).toMatchObject({ code: 0 });
    }
    await serves(more.at(-1) ?? "three");
    const history = JSON.parse((await fed(stage, "releases", "web", "--json")).out) as { releases: WireRelease[] };
    expect(history.releases.map(({ number }) => number)).toEqual(isProof ? [7, 6, 5, 4, 3] : [3, 2, 1]);
    const kept = history.releases.flatMap(({ artifact }) => (artifact.kind === "image" ? [artifact.id] : []));
    for (const engine of engines) {
      await until(`clearing of ${engine.kind}`, async () => (imagesOf(engine).size === kept.length ? true : undefined));
      expect([...imagesOf(engine)].sort()).toEqual([...kept].sort());
    }
    expect((await fed(stage, "rollback", "web", "--to", isProof ? "3" : "2", "--wait")).code).toBe(0);
    await serves(isProof ? "three" : "two");
    expect((await fed(stage, "down")).code).toBe(0);
    await hub.ending;
  }, 300_000);
});
