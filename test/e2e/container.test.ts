import { readFile, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Engine } from "../../packages/fed/src/port/engine.scene.ts";
import { loadOf } from "./asking.ts";
import { describeEngines } from "./engines.ts";
import { runFed } from "./program.ts";
import { ask, leftBehind, makeStage, type Stage, statusOf, until, up } from "./stage.ts";

/** Services in containers on the real start-up path: a real engine, real images, the real ingress. */

function labText(engine: Engine, image: string, greeting: string): string {
  return `import { defineLab, ${engine.kind}, http, image, process, server } from "@fed/lab";
export default defineLab({
  name: "boxes",
  machines: { hub: server({ address: "local", engine: ${engine.kind}({ socket: "${engine.socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    api: { run: process("node api/server.mjs"), health: http("/health"), route: "api.localhost" },
    web: {
      run: image("${image}"),
      port: 8080,
      health: http("/", { every: "200ms" }),
      route: "web.localhost",
      env: { GREETING: "${greeting}", API: { service: "api" } },
      stopGrace: "2s",
      settle: "200ms",
      replicas: 2,
    },
  },
});
`;
}

const script = [
  "mkdir -p /www",
  'echo "$GREETING" > /www/index.html',
  // What the other service says, fetched from inside: nothing is served before.
  'n=0; until wget -q -O /www/api.txt "$API/"; do n=$((n+1)); [ $n -lt 50 ] || exit 1; sleep 0.2; done',
  "exec httpd -f -p 8080 -h /www",
].join("; ");

const running = (engine: Engine) =>
  engine.run("ps", "-q", "--filter", "label=fed.service=web").split("\n").filter(Boolean);

function askPath(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, headers: { host: "web.localhost" } }, async (response) => {
      resolve({ status: response.statusCode ?? 0, body: await text(response) });
    });
    request.on("error", reject);
  });
}

describeEngines("containers of", (_, engineOf) => {
  async function stageWith(
    greeting: string,
  ): Promise<{ stage: Stage; engine: Engine; say(text: string): Promise<void> }> {
    const engine = engineOf();
    engine.run("tag", engine.image(["sh", "-c", script]), "localhost/fed-web:1");
    const stage = await makeStage();
    const say = (text: string) => writeFile(stage.lab, labText(engine, "localhost/fed-web:1", text));
    await say(greeting);
    return { stage, engine, say };
  }

  test("are started, replaced without a lost request, mended, left running by a hub that ends, and ended by fed down", async () => {
    const { stage, engine, say } = await stageWith("hello");
    const hub = await up(stage);
    const says = async (text: string) => {
      await until(
        text,
        async () => {
          const { body } = await ask(hub.ingress, "web.localhost");
          return body === `${text}\n` ? true : undefined;
        },
        60_000,
      );
    };
    const rolledOut = () =>
      until("rolled out", async () => {
        const { out } = await runFed(["releases", "web", "--json", "--data", stage.data]);
        return JSON.parse(out).rollouts[0].state === "done" ? true : undefined;
      });
    await says("hello");
    await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 30_000);
    expect(running(engine)).toHaveLength(2);

    const heard = await until("an answer from the other service", async () => {
      const { status, body } = await askPath(hub.ingress, "/api.txt");
      return status === 200 && body !== "" ? body : undefined;
    });
    expect(heard).toContain('"greeting":"Hello"');

    const stop = loadOf(hub.ingress, "web.localhost");
    for (const word of ["second", "third"]) {
      await say(word);
      await says(word);
      await rolledOut();
    }
    expect(await runFed(["rollback", "web", "--wait", "--data", stage.data])).toMatchObject({ code: 0 });
    await says("second");
    const { count, bad } = await stop();
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(50);

    for (const [words, left] of [
      [["scale", "web", "1"], 1],
      [["stop", "web"], 0],
      [["start", "web"], 1],
      [["scale", "web", "lab"], 2],
    ] as const) {
      expect(await runFed([...words, "--data", stage.data])).toMatchObject({ code: 0 });
      await until(`${words[0]} to ${left}`, async () => (running(engine).length === left ? true : undefined));
      if (left === 0) await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined));
    }
    await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 30_000);

    const [first = ""] = running(engine);
    engine.run("rm", "-f", first);
    await until(
      "another one",
      async () => {
        const status = await statusOf(stage);
        return status.ready && running(engine).length === 2 && !running(engine).includes(first) ? true : undefined;
      },
      60_000,
    );

    const before = running(engine);
    hub.child.kill("SIGTERM");
    await hub.ending;
    expect(running(engine)).toEqual(before);
    expect(await leftBehind(stage.data)).toEqual([]);

    const next = await up(stage);
    await until("ready", async () => ((await statusOf(stage)).ready ? true : undefined), 30_000);
    expect(running(engine)).toEqual(before);
    expect((await ask(next.ingress, "web.localhost")).body).toBe("second\n");
    const logs = await runFed(["logs", "web", "--data", stage.data]);
    expect(logs.code).toBe(0);
    expect(await runFed(["down", "--data", stage.data])).toMatchObject({ code: 0 });
    await next.ending;
    expect(running(engine)).toEqual([]);
    expect(await readFile(stage.lab, "utf8")).toContain("third");
  }, 240_000);
});
