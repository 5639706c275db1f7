import { Agent } from "node:http";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ask, type Given, gate, host, never, openRequest, startInstance, startNamed, stop } from "./ingress.scene.ts";

/** What an ingress does when its routes change. */
export function switchTests(given: Given): void {
  describe("switch and drain", () => {
    test("under load no request fails, and none that starts after the switch reaches the old instance", async () => {
      const clients = 16;
      const switches = 20;
      let current = await startNamed(given.stage, "0");
      await given.apply(host("api.localhost", current));
      let newest = 0;
      let running = true;
      let requests = 0;
      const wrong: string[] = [];
      const load = Array.from({ length: clients }, async (_, client) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        given.stage.onEnd(() => agent.destroy());
        while (running) {
          const atLeast = newest;
          const asked = client % 4 ? { agent } : { agent, method: "POST", body: "x".repeat(1000) };
          const answer = await ask(given.address, "api.localhost", asked).catch((error) => ({
            status: 0,
            body: String(error),
          }));
          requests++;
          if (answer.status !== 200 || Number(answer.body) < atLeast) wrong.push(`${answer.status} ${answer.body}`);
        }
      });
      for (let i = 1; i <= switches; i++) {
        const old = current;
        current = await startNamed(given.stage, String(i));
        await given.apply(host("api.localhost", current));
        newest = i;
        expect(await given.ingress.drain(old.instance, 10_000, never)).toEqual({ kind: "drained" });
        await stop(old.server);
        const before = requests;
        while (requests < before + 20) await nextTurn();
      }
      running = false;
      await Promise.all(load);
      expect(wrong).toEqual([]);
      expect(requests).toBeGreaterThanOrEqual(switches * 20);
    });

    test("generations count the switches, and the status tells the routes", async () => {
      const route = host("api.localhost", { instance: "a", host: "127.0.0.1", port: 1 });
      const before = (await given.ingress.status(never)).generation;
      const { generation } = await given.apply(route);
      expect(generation).toBe(before + 1);
      expect(await given.ingress.status(never)).toEqual({ generation, routes: [route], inFlight: {} });
      expect((await given.apply()).generation).toBe(before + 2);
      expect((await ask(given.address, "api.localhost")).status).toBe(404);
    });

    test("what is in flight is counted, and drain waits for it", async () => {
      const arrived = gate();
      const finish = gate();
      const slow = await startInstance(given.stage, "slow", async (_, response) => {
        arrived.open();
        await finish.passed;
        response.end("done");
      });
      await given.apply(host("api.localhost", slow));
      const answer = ask(given.address, "api.localhost");
      await arrived.passed;
      expect((await given.ingress.status(never)).inFlight).toEqual({ slow: 1 });
      await given.apply(host("api.localhost", await startNamed(given.stage, "new")));
      let drained = false;
      const drain = given.ingress.drain("slow", 60_000, never).then((outcome) => {
        drained = true;
        return outcome;
      });
      expect(await ask(given.address, "api.localhost")).toMatchObject({ body: "new" });
      expect(drained).toBe(false);
      finish.open();
      expect(await drain).toEqual({ kind: "drained" });
      expect(await answer).toMatchObject({ status: 200, body: "done" });
    });

    test("at the deadline drain says how much is left, and cuts it off", async () => {
      const head = { "Content-Type": "text/event-stream", "Content-Length": "1000" };
      const events = await startInstance(given.stage, "old", (_, response) => {
        response.writeHead(200, head).write("data: 1\n\n");
      });
      await given.apply(host("api.localhost", events));
      const streams = await Promise.all([
        openRequest(given.address, "api.localhost"),
        openRequest(given.address, "api.localhost"),
      ]);
      await given.apply();
      const ended = streams.map((stream) => expect(text(stream)).rejects.toThrow());
      expect(await given.ingress.drain("old", 20, never)).toEqual({ kind: "deadline", inFlight: 2 });
      if (given.ingress.features.cutsOff === false) await stop(events.server);
      await Promise.all(ended);
    });

    test("drain refuses an instance that is still a target, and stops waiting when told", async () => {
      const events = await startInstance(given.stage, "a", (_, response) => void response.write("data: 1\n\n"));
      await given.apply(host("api.localhost", events));
      await expect(given.ingress.drain("a", 1000, never)).rejects.toMatchObject({ code: "conflict" });
      const stream = await openRequest(given.address, "api.localhost");
      await given.apply();
      const controller = new AbortController();
      const drain = given.ingress.drain("a", 60_000, controller.signal);
      controller.abort(new Error("told to stop"));
      await expect(drain).rejects.toThrow("told to stop");
      stream.destroy();
    });

    test("an instance nobody knows is drained", async () => {
      expect(await given.ingress.drain("ghost", 60_000, never)).toEqual({ kind: "drained" });
    });

    test("two routes of one name are a conflict, and nothing changes", async () => {
      const a = await startNamed(given.stage, "a");
      await given.apply(host("api.localhost", a));
      const twice = [host("new.localhost", a), host("api.localhost", a), host("API.localhost", a)];
      await expect(given.apply(...twice)).rejects.toMatchObject({ code: "conflict" });
      expect((await ask(given.address, "api.localhost")).body).toBe("a");
      expect((await ask(given.address, "new.localhost")).status).toBe(404);
    });
  });
}
