import { readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { findCaddys, startCaddy } from "../../packages/fed/src/adapter/caddy/caddy.scene.ts";
import { type Engine, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { clientKinds, isWrkThere, startTraffic } from "./load/traffic.ts";
import { runFed } from "./program.ts";
import { makeStage, statusOf, up } from "./stage.ts";
import { makeProgramImage } from "./stand-in.ts";

/**
 * Releases in a row under constant load, of processes and containers, behind both ingresses: no request fails. Each of the four takes
 * about 25 s; with `FED_PROOF=1`, which makes fifty releases, some minutes.
 */

const releases = process.env.FED_PROOF === "1" ? 50 : 3;
const app = join(import.meta.dirname, "load/app.ts");
const host = "web.localhost";

interface Parts {
  readonly name: string;
  readonly run: string;
  readonly machine: string;
}

const labText = ({ name, run, machine }: Parts, version: number) => `import * as lab from "@fed/lab";
export default lab.defineLab({
  name: "${name}",
  machines: { hub: lab.server({ address: "local", ${machine} }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: ${run},
      health: lab.http("/", { every: "200ms" }),
      route: "${host}",
      env: { VERSION: "${version}" },
      replicas: 2,
      stopGrace: "3s",
      settle: "1s",
    },
  },
});
`;

const caddy = findCaddys()[0];
const cells = (["process", "docker"] as const).flatMap((runtime) =>
  (["builtin", "caddy"] as const).map((ingress) => {
    const missing = `${ingress === "caddy" && caddy === undefined ? " [skipped: needs caddy]" : ""}`;
    return { runtime, ingress, without: `${runtime === "docker" ? withoutEngine("docker") : ""}${missing}` };
  }),
);

if (!isWrkThere && process.env.CI === "true") throw new Error("no wrk is installed: apt-get install wrk");

let engineOfAll: Engine | undefined;
afterAll(() => engineOfAll?.close());

/** One engine for all, with the program as its image. */
async function findEngine(): Promise<Engine> {
  if (engineOfAll) return engineOfAll;
  engineOfAll = await startEngine("docker");
  makeProgramImage(engineOfAll, app, "localhost/fed-load:1");
  return engineOfAll;
}

describe.each(cells)("$runtime behind $ingress", ({ runtime, ingress, without }) => {
  test.skipIf(without !== "")(
    `${releases} releases in a row, and no request fails${without}`,
    async () => {
      const stage = await makeStage();
      const running = ingress === "caddy" && caddy !== undefined ? await startCaddy(caddy) : undefined;
      onTestFinished(() => running?.stop());
      const engine = runtime === "docker" ? await findEngine() : undefined;
      const words: string[] = [];
      if (engine) words.push(`engine: lab.docker({ socket: "${engine.socket}" })`);
      if (running) {
        const ports = `httpPort: ${running.address.port}, httpsPort: ${running.secure.port}`;
        words.push(`ingress: lab.caddy({ admin: "${running.admin}", ${ports} })`);
      }
      const name = `load-${ingress}`;
      const argv = JSON.stringify([process.execPath, app]);
      const run = engine ? 'lab.image("localhost/fed-load:1"), port: 8080' : `lab.process(${argv})`;
      const say = (version: number) => writeFile(stage.lab, labText({ name, run, machine: words.join(", ") }, version));
      await say(0);
      const hub = await up(stage, "--no-watch");
      const place = running?.address ?? { host: "127.0.0.1", port: hub.ingress };
      const traffic = await startTraffic(place, host, dirname(stage.lab));
      onTestFinished(() => void traffic.stop());
      const beganMs = performance.now();
      for (let version = 1; version <= releases; version++) {
        await say(version);
        const { code, out, err } = await runFed(["apply", "--data", stage.data]);
        expect(code, `${out}${err}`).toBe(0);
        traffic.newest = version;
      }
      const tookMs = performance.now() - beganMs;
      const { right, wrong } = await traffic.stop();
      const total = Object.values(right).reduce((sum, count) => sum + count, 0);
      const each = `${releases} releases of ${(tookMs / releases / 1_000).toFixed(1)} s each`;
      process.stdout.write(`${runtime} behind ${ingress}: ${total} answers over ${each}: ${JSON.stringify(right)}\n`);
      expect(wrong).toEqual({});
      expect(Object.keys(right)).toEqual(expect.arrayContaining([...clientKinds]));
      // Of the earlier releases nothing is left.
      const [web] = (await statusOf(stage)).services;
      expect(web).toMatchObject({ state: "healthy", instances: [{ state: "running" }, { state: "running" }] });
      const ours = ["--filter", "label=fed.service=web", "--filter", `label=fed.lab=${name}`];
      if (engine) expect(engine.run("ps", "-aq", ...ours).split("\n")).toHaveLength(2);
      else expect(await readdir(join(stage.data, "instances"))).toHaveLength(2);
    },
    process.env.FED_PROOF === "1" ? 1_800_000 : 240_000,
  );
});
