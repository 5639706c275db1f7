import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Engine, type EngineKind, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { fed, rolloutsOf, visit } from "./failing.ts";
import { ask, makeStage, type Stage, statusOf, until, up } from "./stage.ts";

/** Releases of containers that come to nothing: what was before serves throughout, and nothing is left of them. */

interface Wish {
  readonly image?: string;
  readonly health?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly more?: string;
}

function labText({ kind, socket }: Engine, { image = name, health, env, more = "" }: Wish): string {
  return `import { defineLab, ${kind}, http, image, server, tcp } from "@fed/lab";
export default defineLab({
  name: "failing",
  machines: { hub: server({ address: "local", engine: ${kind}({ socket: "${socket}" }) }) },
  environments: { dev: { machines: ["hub"] } },
  services: {
    web: {
      run: image("${image}"), port: 8080, route: "web.localhost", stopGrace: "2s",
      health: ${health ?? 'http("/", { every: "200ms", within: "5s" })'},
      env: ${JSON.stringify(env)}, ${more}
    },
  },
});
`;
}

const name = "localhost/fed-failing:1";
const script = [
  '[ -n "$LISTENS" ] || LISTENS=8080',
  'mkdir -p /www; echo "$WORD" > /www/index.html',
  '[ -z "$LATE" ] || sleep "$LATE"',
  '[ -z "$DIES" ] || ( sleep "$DIES"; echo "out of memory, says $WORD"; kill -9 $(cat /tmp/pid) ) &',
  'httpd -f -p "$LISTENS" -h /www & echo $! > /tmp/pid; wait $!; exit 7',
].join("\n");

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A registry that has nothing. */
function emptyRegistry(): Promise<number> {
  const errors = [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }];
  const server = createServer(({ url }, answer) => {
    if (url === "/v2/") answer.end("{}");
    else answer.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
  });
  return listening(server);
}

describe.each(["docker", "podman"] as const)("a release in %s", (kind: EngineKind) => {
  const without = withoutEngine(kind);
  let engine: Engine;
  beforeAll(async () => {
    if (without === "") engine = await startEngine(kind);
  }, 60_000);
  afterAll(() => engine?.close(), 60_000);

  async function stageOf(env: Wish["env"], more?: string) {
    engine.run("tag", engine.image(["sh", "-c", script]), name);
    const stage = await makeStage();
    const wish = (next: Wish) => writeFile(stage.lab, labText(engine, next));
    await wish({ env, ...(more === undefined ? {} : { more }) });
    const hub = await up(stage, "--no-watch");
    const images = engine.run("images", "-qa").split("\n").sort();
    return { stage, hub, wish, images };
  }

  /** Of the release that failed nothing is there: no container, no image; the first one serves as it did. */
  async function expectAsBefore(stage: Stage, images: readonly string[]) {
    await until("the first release alone", async () => {
      const [web] = (await statusOf(stage)).services;
      return web?.release === 1 && web.state === "healthy" && web.instances.length === 1 ? true : undefined;
    });
    const left = engine.run("ps", "-a", "--filter", "label=fed.service=web", "--format", "{{.Status}}").split("\n");
    expect(left).toEqual([expect.stringMatching(/^Up/)]);
    expect(engine.run("images", "-qa").split("\n").sort()).toEqual(images);
  }

  test.skipIf(without !== "")(
    `that cannot be is told why, while the one before serves${without}`,
    async () => {
      const { stage, hub, wish, images } = await stageOf({ WORD: "one" });
      const leave = visit(hub.ingress);
      const registry = await emptyRegistry();
      const taken = await listening(createTcpServer());
      const cases: readonly (readonly [Wish, RegExp])[] = [
        [
          { env: { WORD: "none" }, image: `127.0.0.1:${registry}/blog:2` },
          new RegExp(`its next release failed: .*127\\.0\\.0\\.1:${registry}/blog:2`),
        ],
        [
          { env: { WORD: "deaf", LISTENS: "9090" }, health: 'http("/", { every: "200ms", within: "2s" })' },
          /release 2 failed: not healthy within 2 s: /,
        ],
        [
          { env: { WORD: "out" }, more: `hostPort: ${taken},` },
          new RegExp(`release 3 failed: port ${taken} of the machine is taken by something else. .ss -ltnp`),
        ],
      ];
      for (const [wished, says] of cases) {
        await wish(wished);
        const applied = await fed(stage, "apply");
        expect(applied).toMatchObject({ code: 1, out: expect.stringMatching(says) });
        const [rollout] = await rolloutsOf(stage);
        expect(rollout).toMatchObject({ state: "failed", before: { number: 1 } });
        expect(applied.out).toContain(rollout?.reason);
        await expectAsBefore(stage, images);
      }
      expect(await leave()).toEqual({ one: expect.any(Number) });
      const told = await fed(stage, "events", "-n", "100");
      expect(told.out.match(/failed/g)?.length).toBeGreaterThanOrEqual(cases.length);
    },
    150_000,
  );

  test.skipIf(without !== "")(
    `that ends soon after it took over gives way to the one that stood by${without}`,
    async () => {
      const { stage, hub, wish, images } = await stageOf({ WORD: "one" });
      const leave = visit(hub.ingress);
      await wish({ env: { WORD: "two", DIES: "4" } });
      const applied = await fed(stage, "apply");
      expect(applied).toMatchObject({
        code: 1,
        out: expect.stringMatching(
          // The shell may say "Killed" before or after the last words.
          /release 2 failed: (exit code 7|unhealthy: connection .*), \d\.\d s after it had become healthy\n(?: +.*\n)*? +.*says two/,
        ),
      });
      await expectAsBefore(stage, images);
      expect(await leave()).toEqual({ one: expect.any(Number), two: expect.any(Number) });
    },
    150_000,
  );

  test.skipIf(without !== "")(
    `whose port opens late takes over when it is open: tcp() is no promise of the engine's proxy${without}`,
    async () => {
      const { stage, hub, wish } = await stageOf({ WORD: "one" }, 'settle: "0s",');
      const leave = visit(hub.ingress);
      await wish({ env: { WORD: "two", LATE: "3" }, health: "tcp()", more: 'settle: "0s",' });
      const began = performance.now();
      expect(await fed(stage, "apply")).toMatchObject({ code: 0 });
      expect(performance.now() - began).toBeGreaterThan(3_000);
      expect((await ask(hub.ingress, "web.localhost")).body.trim()).toBe("two");
      expect(await leave()).toEqual({ one: expect.any(Number), two: expect.any(Number) });
    },
    150_000,
  );
});
