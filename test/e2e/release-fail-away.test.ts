import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { findCaddys, startCaddy } from "../../packages/fed/src/adapter/caddy/caddy.scene.ts";
import { startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { fed, rolloutsOf, visit } from "./failing.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import { makeStage, type Stage, until, up } from "./stage.ts";

/**
 * A machine that is cut off in the middle of a release, with an ingress of its own: whoever asks there notices nothing. By default it is
 * back after a moment; with FED_PROOF=1 it stays away longer than a release waits for it, too.
 */

const script = ['mkdir -p /www; echo "$WORD" > /www/index.html', 'sleep "$LATE"', "exec httpd -f -p 8080 -h /www"].join(
  "\n",
);

const [binary] = findCaddys();
const without = `${withoutEngine("docker")}${withoutSshd}${binary === undefined ? " [skipped: needs caddy]" : ""}`;

async function makeFarStage() {
  const engine = await startEngine("docker");
  onTestFinished(() => engine.close());
  const caddy = await startCaddy(binary ?? { path: "", version: "" });
  onTestFinished(() => caddy.stop());
  const sshd = await startSshd();
  engine.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-far:1");
  const stage = await makeStage();
  const login = `address: "${sshd.host}", port: ${sshd.port}, user: "${userInfo().username}", key: "${sshd.key}"`;
  const ingress = `admin: "${caddy.admin}", httpPort: ${caddy.address.port}, httpsPort: ${caddy.secure.port}`;
  const wish = (word: string, late: number) =>
    writeFile(
      stage.lab,
      `import { caddy, defineLab, docker, http, image, server } from "@fed/lab";
export default defineLab({
  name: "far",
  machines: {
    hub: server({ address: "local" }),
    node5: server({ ${login}, engine: docker({ socket: "${engine.socket}" }), ingress: caddy({ ${ingress} }) }),
  },
  environments: { dev: { machines: ["node5"] } },
  services: {
    web: {
      run: image("localhost/fed-far:1"), port: 8080, route: "web.localhost", stopGrace: "1s", settle: "0s",
      health: http("/", { every: "200ms" }), env: { WORD: "${word}", LATE: "${late}" },
    },
  },
});
`,
    );
  const running = () => engine.run("ps", "-q", "--filter", "label=fed.service=web").split("\n").filter(Boolean);
  return { stage, sshd, wish, running, port: caddy.address.port };
}

const state = (stage: Stage, wanted: string, limitMs?: number) =>
  until(
    `a rollout that is ${wanted}`,
    async () => ((await rolloutsOf(stage))[0]?.state === wanted ? true : undefined),
    limitMs,
  );

test.skipIf(without !== "")(
  `a machine that is cut off in the middle of a release serves on, and the release goes on when it is back${without}`,
  async () => {
    const { stage, sshd, wish, running, port } = await makeFarStage();
    await wish("one", 0);
    await up(stage, "--no-watch");
    const leave = visit(port);

    await wish("two", 6);
    const applying = fed(stage, "apply");
    await until("the new one", async () => (running().length === 2 ? true : undefined));
    await sshd.kill();
    const cutOff = /dev\/web is on node5, which cannot be asked/;
    expect(await applying).toMatchObject({ code: 1, out: expect.stringMatching(cutOff) });
    const [open] = await rolloutsOf(stage);
    expect(open).toMatchObject({
      state: "rolling",
      waits: expect.stringMatching(/is on node5, which cannot be asked/),
    });
    await sshd.restart();
    await state(stage, "done", 40_000);
    await until("the new one alone", async () => (running().length === 1 ? true : undefined));

    if (process.env.FED_PROOF === "1") {
      await wish("three", 20);
      const next = fed(stage, "apply");
      await until("the new one", async () => (running().length === 2 ? true : undefined));
      await sshd.kill();
      expect(await next).toMatchObject({ code: 1, out: expect.stringMatching(cutOff) });
      await state(stage, "failed", 180_000);
      const [failed] = await rolloutsOf(stage);
      expect(failed).toMatchObject({
        before: { number: 2 },
        reason: expect.stringMatching(/^node5 cannot be asked: /),
      });
      await sshd.restart();
      await until("nothing of the third", async () => (running().length === 1 ? true : undefined), 60_000);
    }
    expect(await leave()).toEqual({ one: expect.any(Number), two: expect.any(Number) });
    expect(await fed(stage, "down")).toMatchObject({ code: 0 });
    expect(running()).toEqual([]);
  },
  process.env.FED_PROOF === "1" ? 400_000 : 150_000,
);
