import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDockerImages, openPodmanImages } from "../../packages/fed/src/adapter/docker/index.ts";
import {
  letIn,
  type RealRegistry,
  startRegistry,
  withoutRegistry,
} from "../../packages/fed/src/adapter/docker/registry.scene.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import type { WireRelease, WireRollout } from "../../packages/fed/src/wire/release.ts";
import { runFed } from "./program.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import type { Sshd } from "./sshd-server.ts";
import { ask, makeStage, type Stage, until, upUnwell } from "./stage.ts";

/**
 * A registry that wants a login: what a build begins with comes from there, what is built goes there, and another machine gets it from
 * there. One engine builds, the other one runs. With FED_PROOF=1 both ways round.
 */

const ways: readonly (readonly [here: EngineKind, there: EngineKind])[] =
  process.env.FED_PROOF === "1"
    ? [
        ["docker", "podman"],
        ["podman", "docker"],
      ]
    : [["docker", "podman"]];

const without = withoutRegistry() || withoutEngine("docker") || withoutEngine("podman") || withoutSshd;
const openers = { docker: openDockerImages, podman: openPodmanImages } as const;

function labText(here: Engine, there: Engine, sshd: Sshd, registry: string): string {
  const login = `address: "${sshd.host}", port: ${sshd.port}, user: "root", key: "${sshd.key}"`;
  return `import { build, defineLab, docker, http, podman, server } from "@fed/lab";
export default defineLab({
  name: "shop",
  machines: {
    hub: server({ address: "local", engine: ${here.kind}({ socket: "${here.socket}" }) }),
    node5: server({ ${login}, engine: ${there.kind}({ socket: "${there.socket}" }) }),
  },
  environments: { dev: { machines: ["hub", "node5"] } },
  secrets: { REGISTRY: { description: "Of the registry." } },
  registries: { "${registry}": { auth: { user: "marit", password: { secret: "REGISTRY" } } } },
  services: {
    web: {
      run: build("./web", { push: "${registry}/team/web" }),
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

describe.skipIf(without !== "").each(ways)(`a registry, %s and %s${without}`, (here, there) => {
  let registry: RealRegistry;
  const engines: Engine[] = [];
  beforeAll(async () => {
    registry = await startRegistry();
    for (const kind of [here, there]) {
      const engine = await startEngine(kind);
      letIn(engine, registry.address);
      engines.push(engine);
    }
  }, 60_000);
  afterAll(async () => {
    for (const engine of engines) await engine.close();
    await registry?.close();
  }, 60_000);

  /** The image that builds begin with is in the registry alone. */
  async function publishBase(engine: Engine): Promise<string> {
    const id = engine.image(["sh", "-c", "exec httpd -f -p 8080 -h /www"]);
    const base = `${registry.address}/base:1`;
    const images = openers[engine.kind]({ socket: { kind: "unix", path: engine.socket }, clock: systemClock });
    const signal = AbortSignal.timeout(30_000);
    await images.push(id, base, registry.login, () => {}, signal);
    await images.remove(id, signal);
    return base;
  }

  const fed = (stage: Stage, ...words: readonly string[]) => runFed([...words, "--data", stage.data]);
  const historyOf = async (stage: Stage) =>
    JSON.parse((await fed(stage, "releases", "web", "--json")).out) as {
      readonly releases: readonly WireRelease[];
      readonly rollouts: readonly WireRollout[];
    };

  test("gives what a build begins with, takes what is built, and hands it to another machine", async () => {
    const [builder, runner] = engines;
    if (!builder || !runner) throw new Error("no engines");
    const base = await publishBase(builder);
    const sshd = await startSshd();
    const stage = await makeStage();
    const folder = join(dirname(stage.lab), "web");
    const page = (text: string) => writeFile(join(folder, "index.html"), `${text}\n`);
    await mkdir(folder);
    await writeFile(join(folder, "Dockerfile"), `FROM ${base}\nCOPY index.html /www/index.html\n`);
    await page("one");
    await writeFile(stage.lab, labText(builder, runner, sshd, registry.address));
    const password = join(dirname(stage.lab), "password");
    const set = async (value: string) => {
      await writeFile(password, value);
      expect(await fed(stage, "secret", "set", "REGISTRY", "--file", password)).toMatchObject({ code: 0 });
    };
    const hub = await upUnwell(stage);
    const said: string[] = [];
    const serves = (text: string) =>
      until(
        text,
        async () => ((await ask(hub.ingress, "web.localhost")).body === `${text}\n` ? true : undefined),
        30_000,
      );

    const lacking = await until(
      "a failed build",
      async () => {
        const [last] = (await historyOf(stage)).rollouts;
        return last?.state === "failed" ? last.reason : undefined;
      },
      60_000,
    );
    expect(lacking).toMatch(/^the build failed: .*fed is marit to .*`fed secret set REGISTRY` gives its password/s);

    await set(registry.login.password);
    const first = await fed(stage, "deploy", "web", "--wait");
    said.push(first.out, first.err);
    expect(first, first.out).toMatchObject({ code: 0 });
    await serves("one");
    const { releases } = await historyOf(stage);
    const artifact = releases[0]?.artifact;
    if (artifact?.kind !== "image") throw new Error("no image");
    expect(artifact.digest).toMatch(new RegExp(`^${registry.address}/team/web@sha256:[0-9a-f]{64}$`));
    expect(first.out).toContain(`push ${registry.address}/team/web:${artifact.id.slice(7, 23)} from hub`);
    expect(first.out).toContain(`pull ${artifact.digest} on node5`);
    expect(first.out).not.toContain("carry the image");
    const instance = runner.run("ps", "-q", "--filter", "label=fed.service=web");
    const label = runner.run("inspect", "--format", '{{index .Config.Labels "fed.digest"}}', instance);
    expect(label).toBe(artifact.digest);

    await page("two");
    const second = await fed(stage, "deploy", "web", "--wait");
    expect(second).toMatchObject({ code: 0 });
    await serves("two");

    // The password was changed at the registry's side: the old version serves, and the message says what to do.
    await set("not-the-sea-salt");
    await page("three");
    const refused = await fed(stage, "deploy", "web", "--wait");
    said.push(second.out, refused.out, refused.err, (await fed(stage, "releases", "web", "--json")).out);
    expect(refused).toMatchObject({ code: 1 });
    // Podman takes what the build begins with from before, and is refused when it pushes.
    expect(refused.out).toMatch(/fed is marit to |does not give it to marit/);
    expect(refused.out).toContain("`fed secret set REGISTRY` gives");
    expect(refused.out).toContain("release 2 serves as before");
    await serves("two");
    // What was built for nothing is gone from where it was built.
    await until("cleared", async () => {
      const left = builder.run("images", "-q", "--filter", "label=fed.service=web").split("\n").filter(Boolean);
      return new Set(left).size === 2 ? true : undefined;
    });

    await set(registry.login.password);
    expect(await fed(stage, "deploy", "web", "--wait")).toMatchObject({ code: 0 });
    await serves("three");
    expect((await fed(stage, "down")).code).toBe(0);
    const ended = await hub.ending;
    said.push(ended.out, ended.err);
    for (const text of said) expect(text).not.toMatch(/not-the-sea-salt|sea salt/);
    for (const name of await readdir(stage.data, { recursive: true })) {
      const bytes = await readFile(join(stage.data, name)).catch(() => Buffer.alloc(0));
      expect(bytes.includes("sea salt") || bytes.includes("not-the-sea-salt"), name).toBe(false);
    }
  }, 240_000);
});
