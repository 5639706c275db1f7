import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { findCaddys, startCaddy } from "../../packages/fed/src/adapter/caddy/caddy.scene.ts";
import { type Engine, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { startTraffic } from "./load/traffic.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, type Stage, statusOf, until, up } from "./stage.ts";
import { makeProgramImage } from "./stand-in.ts";

/**
 * The hub of a lab with containers is killed while it makes a release, at a step that is seen from outside, and started again: it
 * finishes the release, nothing of an earlier one is left, and behind Caddy, which goes on, no request fails. Two kills by default, 20 s
 * together; `FED_PROOF=1` kills at all of the steps. Truly every step is walked through in packages/fed/src/hub/release-kill.test.ts.
 */

const host = "web.localhost";
const name = "killed";

const labText = (machine: string, version: number) => `import * as lab from "@fed/lab";
export default lab.defineLab({
  name: "${name}",
  machines: { hub: lab.server({ address: "local", ${machine} }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: lab.image("localhost/fed-load:1"),
      port: 8080,
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

/** What is seen of a release from outside the hub. */
interface Seen {
  readonly running: number;
  readonly all: number;
  /** Who answers: the new version. */
  readonly switched: boolean;
  /** Since the new version answers. */
  readonly switchedMs: number;
  /** The lab has been changed for a moment. */
  readonly began: boolean;
}

interface Moment {
  readonly name: string;
  isNow(seen: Seen): boolean;
}

const moments: readonly Moment[] = [
  { name: "its containers are being started", isNow: ({ all }) => all > 2 },
  { name: "an old one is being stopped", isNow: ({ switched, running, all }) => switched && (running < 4 || all < 4) },
  { name: "it has begun", isNow: ({ began }) => began },
  { name: "all of its containers run", isNow: ({ running }) => running === 4 },
  { name: "it has taken over", isNow: ({ switched }) => switched },
  { name: "it is being watched", isNow: ({ switchedMs }) => switchedMs > 500 },
];

/** Asked without a command line, which would hold up the clients meanwhile. */
async function containersOf({ socket }: Engine): Promise<readonly { readonly State: string }[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`fed.lab=${name}`, "fed.service=web"] }));
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path: `/containers/json?all=1&filters=${filters}` }, (answer) => {
      text(answer).then((said) => resolve(JSON.parse(said)), reject);
    })
      .on("error", reject)
      .end();
  });
}

/** Waits until a release of this version is at that moment. */
async function waitFor(moment: Moment, engine: Engine, port: number, version: number): Promise<void> {
  let since: number | undefined;
  const beganMs = performance.now();
  await until(
    moment.name,
    async () => {
      const containers = await containersOf(engine);
      const { body } = await ask(port, host);
      if (body.startsWith(`${version} `)) since ??= performance.now();
      const running = containers.filter(({ State }) => State === "running").length;
      const seen = {
        ...{ running, all: containers.length, switched: since !== undefined },
        switchedMs: since === undefined ? 0 : performance.now() - since,
        // The hub reads the file within 50 ms of its change; what comes before a container is there is seen by nobody.
        began: performance.now() - beganMs > 100,
      };
      return moment.isNow(seen) ? true : undefined;
    },
    60_000,
  );
}

let engineOfAll: Engine | undefined;
afterAll(() => engineOfAll?.close());

async function findEngine(): Promise<Engine> {
  if (engineOfAll) return engineOfAll;
  engineOfAll = await startEngine("docker");
  makeProgramImage(engineOfAll, join(import.meta.dirname, "load/app.ts"), "localhost/fed-load:1");
  return engineOfAll;
}

/** The wanted version serves, whatever the hub has to do for that; nothing else is there. */
async function expectWhole(stage: Stage, engine: Engine, port: number, version: number, told: string): Promise<void> {
  const { code, out, err } = await runFed(["apply", "--data", stage.data]);
  expect(code, `${told}: ${out}${err}`).toBe(0);
  expect((await ask(port, host)).body, told).toBe(`${version} 0`);
  const [web] = (await statusOf(stage)).services;
  expect(web, told).toMatchObject({ state: "healthy", instances: [{ state: "running" }, { state: "running" }] });
  expect(
    (await containersOf(engine)).map(({ State }) => State),
    told,
  ).toEqual(["running", "running"]);
  expect(engine.run("volume", "ls", "-q"), told).toBe("");
}

const caddy = findCaddys()[0];
const all = process.env.FED_PROOF === "1";
const withoutCaddy = `${withoutEngine("docker")}${caddy === undefined ? " [skipped: needs caddy]" : ""}`;

describe("a hub that is killed while it makes a release", () => {
  test.skipIf(withoutCaddy !== "")(
    `loses no request behind Caddy, and finishes it when it is back${withoutCaddy}`,
    async () => {
      const [engine, stage] = [await findEngine(), await makeStage()];
      if (caddy === undefined) throw new Error("there is no Caddy");
      const running = await startCaddy(caddy);
      onTestFinished(() => running.stop());
      const ports = `httpPort: ${running.address.port}, httpsPort: ${running.secure.port}`;
      const ingress = `ingress: lab.caddy({ admin: "${running.admin}", ${ports} })`;
      const say = (version: number) =>
        writeFile(stage.lab, labText(`engine: lab.docker({ socket: "${engine.socket}" }), ${ingress}`, version));
      await say(0);
      let hub = await up(stage);
      const traffic = await startTraffic(running.address, host, dirname(stage.lab));
      onTestFinished(() => void traffic.stop());
      let version = 0;
      for (const moment of all ? moments : moments.slice(0, 2)) {
        await say(++version);
        await waitFor(moment, engine, running.address.port, version);
        hub.child.kill("SIGKILL");
        await hub.ending;
        hub = await up(stage);
        await expectWhole(stage, engine, running.address.port, version, `killed when ${moment.name}`);
        traffic.newest = version;
      }
      const { right, wrong } = await traffic.stop();
      const total = Object.values(right).reduce((sum, count) => sum + count, 0);
      process.stdout.write(`${version} hubs were killed: ${total} answers: ${JSON.stringify(right)}\n`);
      expect(wrong).toEqual({});
      expect(right["kept connection"]).toBeGreaterThan(100);
      expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
      expect(await containersOf(engine)).toEqual([]);
    },
    all ? 600_000 : 240_000,
  );

  const without = withoutEngine("docker");
  test.skipIf(without !== "")(
    `with an ingress of its own finishes it when it is back${without}`,
    async () => {
      const [engine, stage] = [await findEngine(), await makeStage()];
      const say = (version: number) =>
        writeFile(stage.lab, labText(`engine: lab.docker({ socket: "${engine.socket}" })`, version));
      await say(0);
      const hub = await up(stage);
      await say(1);
      const [moment] = moments;
      if (moment === undefined) throw new Error("there is no moment");
      await waitFor(moment, engine, hub.ingress, 1);
      hub.child.kill("SIGKILL");
      await hub.ending;
      const next = await up(stage);
      await expectWhole(stage, engine, next.ingress, 1, "killed behind its own ingress");
      expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
      expect(await containersOf(engine)).toEqual([]);
    },
    240_000,
  );
});
