/** What a Caddy of one's own does beside the contract of the port: other people's configuration, restarts, a hub that begins anew. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import {
  ask,
  door,
  freePort,
  gate,
  host,
  makeStage,
  never,
  openRequest,
  type Stage,
  startInstance,
  startNamed,
} from "#port/ingress.scene.ts";
import type { Shell } from "#port/shell.ts";
import { openCaddyAdmin } from "./admin.ts";
import { findCaddys, type RunningCaddy, startCaddy } from "./caddy.scene.ts";
import { type JsonObject, objectOf } from "./json.ts";

const caddys = findCaddys();
let stage: Stage;
beforeEach(() => {
  stage = makeStage();
});
afterEach(() => stage.end());

if (caddys.length === 0) {
  describe("without Caddy", () => {
    test.skip("a Caddy of one's own: there is none on this machine, and none could be fetched", () => {});
  });
}

/** Asks the admin API as somebody else does, who tries again when a change cuts him off. */
async function others(caddy: RunningCaddy, method: string, path: string, body?: unknown): Promise<string> {
  const said = await vi.waitFor(() => {
    const headers = { "content-type": "application/json" };
    const outgoing = request(`${caddy.admin}${path}`, { method, headers, agent: false });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return once(outgoing, "response").then(async ([answer]) => `${answer.statusCode} ${await text(answer)}`);
  });
  expect(said).toMatch(/^200 /);
  return said.slice(4);
}

/** Connections over which no answer to a change comes back. */
function losingAnswers(shell: Shell): Shell["forward"] {
  return async (...where) => {
    const real = await shell.forward(...where);
    let isChange = false;
    const lossy = new Duplex({
      read() {},
      write(chunk, encoding, done) {
        isChange ||= String(chunk).includes("POST /config/");
        real.write(chunk, encoding, done);
      },
      destroy(error, done) {
        real.destroy();
        done(error);
      },
    });
    real.on("data", (chunk) => isChange || lossy.push(chunk));
    real.on("end", () => (isChange ? lossy.destroy(new Error("cut off")) : lossy.push(null)));
    real.on("error", (error) => lossy.destroy(error));
    return lossy;
  };
}

const says = (words: string) => ({ handler: "static_response", status_code: 200, body: words });

describe.each(caddys)("caddy $version", (binary) => {
  const start = async (config?: Parameters<typeof startCaddy>[1]) => {
    const caddy = await startCaddy(binary, config);
    stage.onEnd(() => caddy.stop());
    return caddy;
  };

  test("two of one machine have nothing to do with each other, though nobody says where their switchboards are", async () => {
    const [one, other] = [await start(), await start()];
    for (const [caddy, name] of [[one, "one"] as const, [other, "other"] as const])
      await caddy.open({ folder: undefined }).apply([host("api.localhost", await startNamed(stage, name))], never);
    expect((await ask(one.address, "api.localhost")).body).toBe("one");
    expect((await ask(other.address, "api.localhost")).body).toBe("other");
  });

  test("a hub that begins anew finds the routes and what is in flight, and goes on", async () => {
    const caddy = await start();
    const [arrived, finish] = [gate(), gate()];
    const slow = await startInstance(stage, "slow", async (_, response) => {
      arrived.open();
      await finish.passed;
      response.end("done");
    });
    const { generation } = await caddy.open().apply([host("api.localhost", slow)], never);
    const answer = ask(caddy.address, "api.localhost");
    await arrived.passed;
    const ingress = caddy.open();
    const { instance, host: address, port } = slow;
    const routes = [host("api.localhost", { instance, host: address, port })];
    expect(await ingress.status(never)).toEqual({ generation, routes, inFlight: { slow: 1 } });
    await expect(ingress.drain("slow", 0, never)).rejects.toMatchObject({ code: "conflict" });
    const before = await others(caddy, "GET", "/config/");
    await ingress.apply([host("api.localhost", await startNamed(stage, "new"))], never);
    expect((await ask(caddy.address, "api.localhost")).body).toBe("new");
    expect(await others(caddy, "GET", "/config/"), "who serves is not in the configuration").toBe(before);
    const again = caddy.open();
    expect(await again.drain("slow", 50, never)).toEqual({ kind: "deadline", inFlight: 1 });
    const drained = again.drain("slow", 10_000, never);
    finish.open();
    expect(await drained).toEqual({ kind: "drained" });
    expect((await answer).body).toBe("done");
  });

  test("what others wrote stays, also where they have the port, and while they write", async () => {
    const caddy = await start(({ http }) => ({
      logging: { logs: { default: { level: "ERROR" } } },
      apps: {
        http: {
          grace_period: "90s",
          servers: {
            mine: { listen: [`127.0.0.1:${http}`], routes: [{ handle: [says("mine")] }] },
          },
        },
      },
    }));
    const ingress = caddy.open();
    await ingress.apply([host("api.localhost", await startNamed(stage, "api"))], never);
    expect((await ask(caddy.address, "api.localhost")).body).toBe("api");
    expect((await ask(caddy.address, "else.localhost")).body).toBe("mine");
    const theirs = Array.from({ length: 5 }, (_, i) => ({
      match: [{ path: [`/${i}`] }],
      handle: [says(`their ${i}`)],
    }));
    const writing = (async () => {
      for (const route of theirs) await others(caddy, "PUT", "/config/apps/http/servers/mine/routes/0", route);
    })();
    for (let i = 0; i < 5; i++) {
      await ingress.apply([host(`api${i}.localhost`, await startNamed(stage, `api ${i}`))], never);
    }
    await writing;
    expect((await ask(caddy.address, "api4.localhost")).body).toBe("api 4");
    // Their server may still answer as before for a moment.
    const theirAnswers = () => Promise.all(["/0", "/4"].map((path) => ask(caddy.address, "else", { path })));
    const saying = async () => expect((await theirAnswers()).map(({ body }) => body)).toEqual(["their 0", "their 4"]);
    await vi.waitFor(saying, { timeout: 10_000 });
    await ingress.apply([], never);
    const left: JsonObject = JSON.parse(await others(caddy, "GET", "/config/logging"));
    expect(left).toEqual({ logs: { default: { level: "ERROR" } } });
    expect(await others(caddy, "GET", "/config/apps/http/grace_period")).toBe('"90s"\n');
    expect((await ask(caddy.address, "api4.localhost")).body).toBe("mine");
  });

  test("a change that others made meanwhile is noticed, not overwritten", async () => {
    const caddy = await start();
    const admin = openCaddyAdmin(caddy.shell, caddy.admin, systemClock);
    const { config, tag } = await admin.read(never);
    await others(caddy, "PUT", "/config/logging", { logs: {} });
    expect(await admin.replace({ ...objectOf(config), apps: {} }, tag, never)).toBe(false);
    expect(await others(caddy, "GET", "/config/logging")).toBe('{"logs":{}}\n');
    const now = await admin.read(never);
    expect(await admin.replace({ ...objectOf(now.config), apps: {} }, now.tag, never)).toBe(true);
  });

  test("a configuration that lost our part, and a switchboard that is gone, are made anew by the next switch", async () => {
    const caddy = await start();
    const ingress = caddy.open();
    const routes = [host("api.localhost", await startNamed(stage, "api"))];
    await ingress.apply(routes, never);
    const adminOnly = { admin: { listen: new URL(caddy.admin).host } };
    await others(caddy, "POST", "/load", adminOnly);
    expect((await ingress.status(never)).routes).toEqual([]);
    await ingress.apply(routes, never);
    expect((await ask(caddy.address, "api.localhost")).body).toBe("api");
    rmSync(caddy.folder, { recursive: true });
    expect((await ask(caddy.address, "api.localhost")).status).toBe(503);
    expect((await ingress.status(never)).routes).toEqual([]);
    await ingress.apply(routes, never);
    expect((await ask(caddy.address, "api.localhost")).body).toBe("api");
  });

  test("a folder that Caddy does not see is told", async () => {
    const caddy = await start();
    const { shell } = caddy;
    const elsewhere = {
      ...shell,
      run: ((command, ...rest) => {
        const argv = command.argv.map((word) => word.replace(caddy.folder, `${caddy.folder}-elsewhere`));
        return shell.run({ ...command, argv }, ...rest);
      }) satisfies typeof shell.run,
    };
    stage.onEnd(() => rmSync(`${caddy.folder}-elsewhere`, { recursive: true }));
    const ingress = caddy.open({ shell: elsewhere });
    // The script tells where the folder is, so the configuration has to be told another place.
    const lying = {
      ...elsewhere,
      run: (async (...words) => {
        const outcome = await elsewhere.run(...words);
        return { ...outcome, stdout: outcome.stdout.replace(`${caddy.folder}-elsewhere`, caddy.folder) };
      }) satisfies typeof shell.run,
    };
    expect(ingress.name).toBe("caddy");
    await expect(caddy.open({ shell: lying }).apply([], never)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(caddy.folder),
    });
  });

  test("somebody else's folder, and an admin API that is not there, are told", async () => {
    const caddy = await start();
    await expect(caddy.open({ folder: "/proc/fed" }).apply([], never)).rejects.toMatchObject({ code: "denied" });
    const admin = `http://127.0.0.1:${await freePort()}`;
    await expect(caddy.open({ admin }).apply([], never)).rejects.toMatchObject({ code: "unreachable" });
    await expect(async () => caddy.open({ admin: "localhost:2019" })).rejects.toMatchObject({ code: "invalid" });
  });

  test("a door listens where containers see it, as far as that is an address of the machine", async () => {
    const caddy = await start();
    const port = await freePort();
    const instance = await startNamed(stage, "api");
    const wide = { ...door(port, "http", instance), match: { kind: "door", port, protocol: "http" } } as const;
    const match = { ...wide.match, hosts: ["127.0.0.2", "203.0.113.7"] };
    await caddy.open().apply([{ ...wide, match }], never);
    for (const address of ["127.0.0.1", "127.0.0.2"])
      expect((await ask({ host: address, port }, "x")).body).toBe("api");
  });

  test("raw TCP is not supported, and changes nothing", async () => {
    const caddy = await start();
    const ingress = caddy.open();
    await expect(ingress.apply([door(1, "tcp")], never)).rejects.toMatchObject({ code: "unsupported" });
    expect((await ingress.status(never)).generation).toBe(0);
  });

  test("a service with more instances than before: each gets its share, none is lost on the way", async () => {
    const caddy = await start();
    const ingress = caddy.open();
    const instances = await Promise.all(Array.from({ length: 9 }, (_, i) => startNamed(stage, `i${i}`)));
    for (const count of [1, 3, 9, 2]) {
      const serving = instances.slice(0, count);
      await ingress.apply([host("api.localhost", ...serving)], never);
      const answers = await Promise.all(Array.from({ length: 48 }, () => ask(caddy.address, "api.localhost")));
      expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(serving.map(({ instance }) => instance)));
    }
  });

  test("a change whose answer is lost loses no request, whether Caddy has made it or not", async () => {
    const caddy = await start();
    const instances = await Promise.all(Array.from({ length: 9 }, (_, i) => startNamed(stage, `i${i}`)));
    const ingress = caddy.open({ shell: { ...caddy.shell, forward: losingAnswers(caddy.shell) } });
    await caddy.open().apply([host("api.localhost", ...instances.slice(0, 1))], never);
    const wider = [host("api.localhost", ...instances)];
    await expect(ingress.apply(wider, never)).rejects.toMatchObject({ code: "unreachable" });
    expect((await others(caddy, "GET", "/config/")).includes("{http.regexp.fed-host-api_localhost-a.12}")).toBe(true);
    expect((await ask(caddy.address, "api.localhost")).body).toBe("i0");
    await caddy.open().apply(wider, never);
    expect((await ask(caddy.address, "api.localhost")).status).toBe(200);
  });

  test("the session of the dashboard stays behind, both ways", async () => {
    const caddy = await start();
    const api = await startInstance(stage, "api", (incoming, response) => {
      response.writeHead(200, { "Set-Cookie": ["a=1", "fed_session=x; Domain=hub.test"] });
      response.end(incoming.headers.cookie);
    });
    await caddy.open().apply([host("api.localhost", api)], never);
    const cookie = "fed_session=s3cret; a=1; fed_session = again; not_fed_session=mine";
    const answer = await ask(caddy.address, "api.localhost", { headers: { cookie } });
    expect(answer.body).toBe("a=1; not_fed_session=mine");
    expect(JSON.stringify(answer.headers)).not.toContain("fed_session=x");
    expect(answer.headers["set-cookie"]).toContain("a=1");
  });

  test("what is in flight to a route that goes is drained, also after the next change", async () => {
    const caddy = await start();
    const ingress = caddy.open();
    const finish = gate();
    const old = await startInstance(stage, "old", async (_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n");
      await finish.passed;
      response.end();
    });
    await ingress.apply([host("old.localhost", old)], never);
    const stream = await openRequest(caddy.address, "old.localhost");
    await once(stream, "data");
    for (const name of ["one", "two"]) {
      await ingress.apply([host(`${name}.localhost`, await startNamed(stage, name))], never);
      expect(await ingress.drain("old", 20, never)).toEqual({ kind: "deadline", inFlight: 1 });
    }
    const drained = ingress.drain("old", 10_000, never);
    finish.open();
    expect(await drained).toEqual({ kind: "drained" });
    await text(stream);
    await ingress.apply([], never);
    expect(await ingress.drain("old", 10_000, never)).toEqual({ kind: "drained" });
  });
});
