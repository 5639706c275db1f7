import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { findCaddys, startCaddy } from "../../packages/fed/src/adapter/caddy/caddy.scene.ts";
import { startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { loadOf } from "./asking.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, statusOf, until, up } from "./stage.ts";

/** Services behind a Caddy that the lab names: it goes on while there is no hub. */

const script = ["mkdir -p /www", 'echo "$GREETING" > /www/index.html', "exec httpd -f -p 8080 -h /www"].join("; ");

const caddys = findCaddys();
const without = `${withoutEngine("docker")}${caddys.length === 0 ? " [skipped: needs caddy]" : ""}`;

describe.each(caddys.length === 0 ? [{ path: "", version: "" }] : caddys)("behind Caddy $version", (binary) => {
  test.skipIf(without !== "")(
    `no request is lost by releases, by a hub that is killed, nor by one that ends and comes back${without}`,
    async () => {
      const engine = await startEngine("docker");
      onTestFinished(() => engine.close());
      const caddy = await startCaddy(binary);
      onTestFinished(() => caddy.stop());
      engine.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-web:1");
      const stage = await makeStage();
      const say = (greeting: string) =>
        writeFile(
          stage.lab,
          `import { caddy, defineLab, docker, http, image, server } from "@fed/lab";
export default defineLab({
  name: "behind",
  machines: {
    hub: server({
      address: "local",
      engine: docker({ socket: "${engine.socket}" }),
      ingress: caddy({ admin: "${caddy.admin}", httpPort: ${caddy.address.port}, httpsPort: ${caddy.secure.port} }),
    }),
  },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: image("localhost/fed-web:1"),
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "web.localhost",
      env: { GREETING: "${greeting}" },
      stopGrace: "2s",
    },
  },
});
`,
        );
      await say("hello");
      const hub = await up(stage);
      const says = (text: string) =>
        until(
          text,
          async () =>
            (await ask(caddy.address.port, "web.localhost").catch(() => undefined))?.body === `${text}\n`
              ? true
              : undefined,
          60_000,
        );
      await says("hello");
      expect((await statusOf(stage)).services[0]?.url).toBe(`http://web.localhost:${caddy.address.port}`);
      expect((await ask(hub.ingress, "web.localhost")).status).toBe(404);

      const stop = loadOf(caddy.address.port, "web.localhost");
      await say("second");
      await says("second");
      hub.child.kill("SIGKILL");
      await hub.ending;
      const next = await up(stage);
      await say("third");
      await says("third");
      next.child.kill("SIGTERM");
      await next.ending;
      await pause(300);
      const last = await up(stage);
      await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 30_000);
      const { count, bad } = await stop();
      expect(bad).toEqual([]);
      expect(count).toBeGreaterThan(100);
      expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
      await last.ending;
      expect((await ask(caddy.address.port, "web.localhost")).status).toBeGreaterThanOrEqual(500);
    },
    240_000,
  );
});
