import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { loadOf } from "./asking.ts";
import { runFed } from "./program.ts";
import { startSshd, withoutSshd } from "./sshd.ts";
import type { Sshd } from "./sshd-server.ts";
import { ask, makeStage, statusOf, until, up } from "./stage.ts";

/** Services on a machine that the hub reaches by SSH alone: its engine, its ports, its end of the line. */

/** Whether containers find each other by name: Podman needs aardvark-dns for it. */
const names = (kind: EngineKind) =>
  kind === "docker" || ["/usr/lib/podman", "/usr/libexec/podman"].some((at) => existsSync(`${at}/aardvark-dns`));

function labText(engine: Engine, sshd: Sshd, greeting: string): string {
  const login = `address: "${sshd.host}", port: ${sshd.port}, user: "${userInfo().username}", key: "${sshd.key}"`;
  return `import { defineLab, ${engine.kind}, http, image, process, server } from "@fed/lab";
export default defineLab({
  name: "far",
  machines: {
    hub: server({ address: "local" }),
    node5: server({ ${login}, engine: ${engine.kind}({ socket: "${engine.socket}" }) }),
  },
  environments: { dev: { machines: ["hub", "node5"] } },
  services: {
    site: { run: process("node api/server.mjs"), health: http("/health"), route: "site.localhost", env: { WEB: { service: "web" } } },
    web: {
      run: image("localhost/fed-far:1"),
      on: "node5",
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "web.localhost",
      env: { GREETING: "${greeting}" },
      stopGrace: "2s",
      settle: "200ms",
    },
    ${names(engine.kind) ? "friend" : "other"}: {
      run: image("localhost/fed-far:1"),
      on: "node5",
      port: 8080,
      health: http("${names(engine.kind) ? "/friend.txt" : "/"}", { every: "200ms" }),
      route: "friend.localhost",
      env: { GREETING: "friend", FRIEND: { service: "web" } },
      stopGrace: "2s",
      settle: "200ms",
    },
  },
});
`;
}

const script = [
  "mkdir -p /www",
  'echo "$GREETING" > /www/index.html',
  // By its name on the network of the environment: healthy only once that was answered.
  '( until wget -q -O /www/friend.txt "$FRIEND/"; do sleep 0.2; done ) & true',
  "exec httpd -f -p 8080 -h /www",
].join("; ");

const without = (kind: EngineKind) => `${withoutEngine(kind)}${withoutSshd}`;

describe.each(["docker", "podman"] as const)("containers of %s on another machine", (kind) => {
  test.skipIf(without(kind) !== "")(
    `are reached by SSH alone, replaced without a lost request, and stay as they are while the machine is cut off${without(kind)}`,
    async () => {
      const engine = await startEngine(kind);
      onTestFinished(() => engine.close());
      const sshd = await startSshd();
      engine.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-far:1");
      const stage = await makeStage();
      await writeFile(stage.lab, labText(engine, sshd, "hello"));
      const hub = await up(stage);
      const says = (text: string) =>
        until(
          text,
          async () => ((await ask(hub.ingress, "web.localhost")).body === `${text}\n` ? true : undefined),
          60_000,
        );
      const ready = () => until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 60_000);
      await says("hello");
      await ready();

      const stop = loadOf(hub.ingress, "web.localhost");
      for (const word of ["second", "third"]) {
        await writeFile(stage.lab, labText(engine, sshd, word));
        await says(word);
      }
      const { count, bad } = await stop();
      expect(bad).toEqual([]);
      expect(count).toBeGreaterThan(20);
      await ready();

      const running = () => engine.run("ps", "-q", "--filter", "label=fed.service").split("\n").filter(Boolean).sort();
      // The version before stands by for a while, and then ends.
      const before = await until("one of each", async () => (running().length === 2 ? running() : undefined), 60_000);
      await sshd.kill();
      await until("a machine that is away", async () => {
        const { services } = await statusOf(stage);
        return services.filter(({ state }) => state === "unknown").length === 2 ? true : undefined;
      });
      const plan = await runFed(["plan", "--data", stage.data]);
      expect(plan.out).toMatch(/dev\/web is on node5, which cannot be asked/);
      expect(plan.out).not.toMatch(/start replica|stop ins/);
      expect((await ask(hub.ingress, "site.localhost")).status).toBe(200);
      expect(running()).toEqual(before);

      await sshd.restart();
      await ready();
      expect(running()).toEqual(before);
      expect((await ask(hub.ingress, "web.localhost")).body).toBe("third\n");
      expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
      await hub.ending;
      expect(running()).toEqual([]);
    },
    240_000,
  );
});
