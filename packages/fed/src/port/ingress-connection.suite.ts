import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import {
  ask,
  door,
  echoWebSocket,
  freePort,
  type Given,
  host,
  never,
  portOf,
  startInstance,
  startNamed,
  startRaw,
} from "./ingress.scene.ts";
import type { RouteTarget } from "./ingress.ts";
import { unless } from "./ingress-shortcoming.scene.ts";

/** What an ingress does with whole connections: doors and upgrades. */
export function connectionTests(given: Given): void {
  describe("doors", () => {
    test("an http door serves whatever the Host, and goes when it is no longer named", async () => {
      const port = await freePort();
      const [old, next] = [await startNamed(given.stage, "old"), await startNamed(given.stage, "next")];
      const place = { host: "127.0.0.1", port };
      await given.apply(door(port, "http", old));
      expect((await ask(place, "api")).body).toBe("old");
      await given.apply(door(port, "http", next));
      expect((await ask(place, `127.0.0.1:${port}`)).body).toBe("next");
      await given.apply();
      await expect(ask(place, "api")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });

    const tcpTest = unless(given, "tcp doors");

    tcpTest("a tcp door passes bytes both ways, and each end by itself", async () => {
      const port = await freePort();
      const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
      const shout = await startRaw(given.stage, "raw", (socket) => {
        let heard = "";
        socket.on("data", (chunk) => {
          heard += chunk;
        });
        // Answers only after the client has ended its side.
        socket.on("end", () => socket.end(heard.toUpperCase()));
      });
      await given.apply(door(port, "tcp", dead, shout));
      const client = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
      client.end("hello");
      expect(await text(client)).toBe("HELLO");
    });

    tcpTest("a raw connection is in flight; drain cuts it off at the deadline", async () => {
      const port = await freePort();
      const echo = await startRaw(given.stage, "raw", (socket) => void socket.pipe(socket));
      await given.apply(door(port, "tcp", echo));
      const client = connect({ host: "127.0.0.1", port });
      given.stage.onEnd(() => client.destroy());
      client.on("error", () => {}).write("hello");
      expect(String((await once(client, "data"))[0])).toBe("hello");
      expect((await given.ingress.status(never)).inFlight).toEqual({ raw: 1 });
      await given.apply();
      const closed = once(client, "close");
      expect(await given.ingress.drain("raw", 20, never)).toEqual({ kind: "deadline", inFlight: 1 });
      await closed;
    });

    test("a taken port is a conflict, and nothing changes", async () => {
      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      given.stage.onEnd(() => taken.close());
      const free = await freePort();
      const a = await startNamed(given.stage, "a");
      const { generation } = await given.apply(host("api.localhost", a));
      const wanted = [host("new.localhost", a), door(free, "http", a), door(portOf(taken), "http", a)];
      await expect(given.apply(...wanted)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(String(portOf(taken))),
      });
      expect((await given.ingress.status(never)).generation).toBe(generation);
      expect((await ask(given.address, "api.localhost")).body).toBe("a");
      expect((await ask(given.address, "new.localhost")).status).toBe(404);
      await expect(ask({ host: "127.0.0.1", port: free }, "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });
  });

  describe("upgrades", () => {
    const openWebSocket = async () => {
      const client = new WebSocket(`ws://${given.address.host}:${given.address.port}/socket`);
      given.stage.onEnd(() => client.close());
      await new Promise((resolve, reject) => {
        client.onopen = resolve;
        client.onerror = reject;
      });
      const say = (words: string) =>
        new Promise((resolve) => {
          client.onmessage = ({ data }) => resolve(data);
          client.send(words);
        });
      return { client, say };
    };

    const spokenThrough = async () => {
      const instance = await startNamed(given.stage, "ws");
      echoWebSocket(instance.server);
      const ends: Socket[] = [];
      instance.server.on("upgrade", (_, socket: Socket) => ends.push(socket));
      await given.apply(host(given.address.host, instance));
      const { client, say } = await openWebSocket();
      expect(await say("hello")).toBe("hello");
      return { ends, client, say };
    };

    test("a WebSocket speaks through, over a switch too", async () => {
      const { say } = await spokenThrough();
      expect((await given.ingress.status(never)).inFlight).toEqual({ ws: 1 });
      await given.apply(host(given.address.host, await startNamed(given.stage, "next")));
      expect(await say("still here")).toBe("still here");
    });

    unless(given, "upgrades over new names")("a WebSocket outlives its name, and is cut off by its drain", async () => {
      const { ends, client, say } = await spokenThrough();
      await given.apply();
      expect(await say("and here")).toBe("and here");
      const closed = new Promise<CloseEvent>((resolve) => {
        client.onclose = resolve;
      });
      const heard = Promise.all(ends.map(async (end) => String((await once(end, "data"))[0])));
      expect(await given.ingress.drain("ws", 20, never)).toEqual({ kind: "deadline", inFlight: 1 });
      if (given.ingress.features.cutsOff === false) {
        for (const end of ends) end.destroy();
        await closed;
        return;
      }
      // Both are told that the other goes away.
      expect(await closed).toMatchObject({ code: 1001, wasClean: true });
      expect(await heard).toHaveLength(1);
    });

    test("an instance that refuses connections is passed over for upgrades too", async () => {
      const instance = await startNamed(given.stage, "ws");
      echoWebSocket(instance.server);
      const dead: RouteTarget = { instance: "dead", host: "127.0.0.1", port: await freePort() };
      await given.apply(host(given.address.host, dead, instance));
      for (const words of ["one", "two"]) expect(await (await openWebSocket()).say(words)).toBe(words);
    });

    test("an instance that does not upgrade is heard", async () => {
      const strict = await startInstance(given.stage, "api-1", (_, response) => response.end());
      strict.server.on("upgrade", (_, socket) => {
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\nConnection: close\r\n\r\nno way\n");
      });
      await given.apply(host("api.localhost", strict), host("empty.localhost"));
      const headers = { Connection: "Upgrade", Upgrade: "websocket" };
      expect(await ask(given.address, "api.localhost", { headers })).toMatchObject({ status: 401, body: "no way\n" });
      expect((await ask(given.address, "empty.localhost", { headers })).status).toBe(503);
      expect((await ask(given.address, "ghost.localhost", { headers })).status).toBe(404);
    });
  });
}
