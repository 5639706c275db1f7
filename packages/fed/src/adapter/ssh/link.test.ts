import { expect, test } from "vitest";
import { Fault } from "#base/fault.ts";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import type { SshLogin } from "#port/shell.ts";
import type { Connection } from "./connect.ts";
import { openLink } from "./link.ts";

const going = () => new AbortController().signal;
const login: SshLogin = { machine: "node5", host: "10.0.0.5", port: 22, user: "ada", keys: [] };

interface World {
  login: SshLogin;
  fault: Fault | undefined;
  dials: number;
  readonly connections: Connection[];
}

function makeScene() {
  const clock = handClock();
  const world: World = { login, fault: undefined, dials: 0, connections: [] };
  const scene = Object.assign(world, {
    clock,
    link: openLink("node5", {
      ...{ clock, trace: silentTrace, random: () => 0.5 },
      login: async () => world.login,
      async dial() {
        world.dials++;
        await Promise.resolve();
        if (world.fault !== undefined) throw world.fault;
        const connection = makeConnection();
        world.connections.push(connection);
        return connection;
      },
    }),
    /** Milliseconds until the next call may dial. */
    async waitMs(): Promise<number> {
      for (let waited = 0; ; waited += 500) {
        const before = world.dials;
        await scene.link.take(going()).catch(() => {});
        if (world.dials > before) return waited;
        await clock.turn(500);
      }
    },
  });
  return scene;
}

function makeConnection(): Connection {
  const calls = new Set<(reason: string) => void>();
  let gone: string | undefined;
  return {
    login,
    client: { unforwardIn() {} } as unknown as Connection["client"],
    readBytes: () => 0,
    get gone() {
      return gone;
    },
    onGone(call) {
      calls.add(call);
      return () => void calls.delete(call);
    },
    end(reason) {
      if (gone !== undefined) return;
      gone = reason;
      for (const call of calls) call(reason);
    },
  };
}

test("one connection for everybody, made when it is first needed", async () => {
  const { link, connections, clock } = makeScene();
  const [one, two] = await Promise.all([link.take(going()), link.take(going())]);
  expect(one).toBe(two);
  expect(await link.take(going())).toBe(one);
  expect(connections).toEqual([one]);
  link.close();
  expect(one?.gone).toBe("closed");
  await expect(link.take(going())).rejects.toMatchObject({
    code: "unreachable",
    message: "the shell of node5 is closed",
  });
  expect(clock.waiting).toBe(0);
});

test("one that fails is not tried again before its time, which doubles up to 30 s", async () => {
  const scene = makeScene();
  scene.fault = new Fault("unreachable", "node5 refuses connections", { hint: "Does sshd run?" });
  await expect(scene.link.take(going())).rejects.toBe(scene.fault);
  await expect(scene.link.take(going())).rejects.toMatchObject({
    ...{ code: "unreachable", hint: "Does sshd run?" },
    message: "node5 refuses connections; tried again in 1 s",
  });
  expect(scene.dials).toBe(1);
  const waits = [];
  for (let i = 0; i < 7; i++) waits.push(await scene.waitMs());
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  scene.fault = undefined;
  await scene.clock.turn(30_000);
  expect(await scene.link.take(going())).toBe(scene.connections[0]);
});

test("one that refuses us is tried rarely, and at once when we have another key", async () => {
  const scene = makeScene();
  scene.fault = new Fault("denied", "ada may not log in", { details: { hostKey: "changed" } });
  await expect(scene.link.take(going())).rejects.toBe(scene.fault);
  const early = scene.link.take(going());
  await expect(early).rejects.toMatchObject({ code: "denied", details: { hostKey: "changed" } });
  expect([await scene.waitMs(), await scene.waitMs()]).toEqual([10_000, 20_000]);
  expect(scene.dials).toBe(3);
  scene.login = { ...login, password: "new" };
  scene.fault = undefined;
  expect(await scene.link.take(going())).toBe(scene.connections[0]);
});

test("a connection that is lost is made anew at once, if it lived", async () => {
  const scene = makeScene();
  const first = await scene.link.take(going());
  await scene.clock.turn(10_000);
  first.end("it hung up");
  const second = await scene.link.take(going());
  expect(second).not.toBe(first);
  second.end("it hung up");
  await expect(scene.link.take(going())).rejects.toMatchObject({
    message: "the connection to node5 was lost: it hung up; tried again in 1 s",
  });
});

test("who waits for it may leave; it is closed when it comes too late", async () => {
  const scene = makeScene();
  const controller = new AbortController();
  const left = scene.link.take(controller.signal);
  const stays = scene.link.take(going());
  controller.abort("enough");
  await expect(left).rejects.toBe("enough");
  expect(await stays).toBe(scene.connections[0]);
  const other = makeScene();
  const late = other.link.take(going());
  other.link.close();
  await expect(late).rejects.toMatchObject({ message: "the shell of node5 is closed" });
  expect(other.connections.every(({ gone }) => gone === "closed")).toBe(true);
});
