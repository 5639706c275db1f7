import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Engine } from "../../packages/fed/src/port/engine.scene.ts";
import { describeEngines } from "./engines.ts";
import { runFed } from "./program.ts";
import { ask, makeStage, statusOf, until, up } from "./stage.ts";

/** What people do to containers behind fed's back, on the real start-up path with a real engine: it comes right by itself. */

const labText = (engine: Engine) => `import { defineLab, ${engine.kind}, http, image, server } from "@fed/lab";
export default defineLab({
  name: "drift",
  machines: { hub: server({ address: "local", engine: ${engine.kind}({ socket: "${engine.socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: image("localhost/fed-drift:1"),
      port: 8080,
      health: http("/", { every: "200ms", timeout: "500ms" }),
      route: "web.localhost",
      memory: "64MiB",
      stopGrace: "1s",
      settle: "0s",
    },
    loop: { run: image("localhost/fed-loop:1"), stopGrace: "0s" },
  },
});
`;

describeEngines("behind fed's back, with", (kind, engineOf) => {
  test("what is killed, paused, restarted, cut off, doubled or left over comes right, what is not ours is left alone, and a crash loop is seen", async () => {
    const engine = engineOf();
    const page = "mkdir -p /www; echo well > /www/index.html; exec httpd -f -p 8080 -h /www";
    engine.run("tag", engine.image(["sh", "-c", page]), "localhost/fed-drift:1");
    engine.run("tag", engine.image(["sh", "-c", "sleep 1; echo out of luck; exit 3"]), "localhost/fed-loop:1");
    const stage = await makeStage();
    await writeFile(stage.lab, labText(engine));
    const hub = await up(stage);
    const list = (...filters: readonly string[]) =>
      engine
        .run("ps", "-q", "--no-trunc", ...filters.flatMap((one) => ["--filter", one]))
        .split("\n")
        .filter(Boolean);
    const ours = () => list("label=fed.service=web", "label=fed.lab=drift");
    const [first = ""] = await until("it runs", async () => (ours().length === 1 ? ours() : undefined), 60_000);
    const labels: Record<string, string> = JSON.parse(
      engine.run("inspect", "--format", "{{json .Config.Labels}}", first),
    );
    /** Another container, as somebody may start one: with our labels, but for these. */
    const beside = (changes: Readonly<Record<string, string>>) => {
      const all = Object.entries({ ...labels, ...changes }).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
      return engine.run("run", "-d", ...all, "localhost/fed-drift:1");
    };
    const strangers = [
      beside({ "fed.id": "ins_0000000000000stranger", "fed.lab": "somebody-elses" }),
      engine.run("run", "-d", "localhost/fed-drift:1"),
    ];
    /** One serves, and it is not the one that something was done to. */
    const comesRight = async (what: string, victim: string | undefined) => {
      let seen = "";
      return until(
        what,
        async () => {
          const now = ours();
          const { services } = await statusOf(stage);
          const web = services.find(({ service }) => service === "web");
          seen = JSON.stringify({ now, victim, web });
          if (now.length !== 1 || now[0] === victim || web?.state !== "healthy") return undefined;
          return (await ask(hub.ingress, "web.localhost")).body === "well\n" ? now[0] : undefined;
        },
        // What is paused before it was known to be well has a minute to become it.
        120_000,
      ).catch((thrown) => {
        throw new Error(`${thrown}; seen last: ${seen}`);
      });
    };

    let current = await comesRight("it is well", undefined);
    engine.run("kill", current);
    current = await comesRight("the killed one is replaced", current);
    engine.run("pause", current);
    current = await comesRight("the paused one is replaced", current);
    const network = engine.run(
      "inspect",
      "--format",
      "{{range $name, $it := .NetworkSettings.Networks}}{{$name}}{{end}}",
      current,
    );
    engine.run("network", "disconnect", "-f", network, current);
    current = await comesRight("the one without a network is replaced", current);
    engine.run("update", "--cpu-shares", "512", current);
    // Podman 4 changes the container and tells nobody: neither an event nor what it says of the container.
    if (engine.run("inspect", "--format", "{{.HostConfig.CpuShares}}", current).trim() === "512") {
      current = await comesRight("the one that was changed by hand is replaced", current);
    } else expect(kind).toBe("podman");
    engine.run("restart", "-t", "0", current);
    current = await comesRight("one of the restarted and its replacement is left", undefined);
    // It runs again before the hub can look.
    hub.child.kill("SIGSTOP");
    engine.run("restart", "-t", "0", current);
    hub.child.kill("SIGCONT");
    await comesRight("what ended unseen serves again", undefined);
    beside({ "fed.id": "ins_00000000000000double" });
    current = await comesRight("the double is gone", undefined);
    beside({ "fed.id": "ins_0000000000000000stale", "fed.spec": "0123456789abcdef" });
    expect(await comesRight("the stale one is gone", undefined)).toBe(current);
    expect(list().filter((id) => strangers.includes(id))).toHaveLength(2);

    const loop = await until(
      "the crash loop is seen",
      async () => {
        const { services } = await statusOf(stage);
        const found = services.find(({ service }) => service === "loop");
        return found && found.crashes >= 3 ? found : undefined;
      },
      60_000,
    );
    // It has no check, so it is well for the second for which it runs.
    expect(["backing off", "gave up", "starting", "healthy"]).toContain(loop.state);
    // One that has just begun has said nothing yet.
    await until("its last words", async () => {
      const { code, out } = await runFed(["logs", "loop", "--data", stage.data]);
      return code === 0 && out.includes("out of luck") ? true : undefined;
    });
    expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
    await hub.ending;
    expect(ours()).toEqual([]);
    expect(list().filter((id) => strangers.includes(id))).toHaveLength(2);
  }, 360_000);
});
