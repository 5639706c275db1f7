import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { Fault } from "#base/fault.ts";
import { silentTrace } from "#base/trace.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { openReach, type Reach } from "./reach.ts";

const there = { host: "127.0.0.1", port: 40_001 };
const opened: Reach[] = [];
afterEach(async () => {
  for (const reach of opened.splice(0)) await reach.close();
});

function makeStage(answer: (io: Duplex) => void) {
  const shell = makeFakeShell(systemClock, "node5");
  shell.listeners.set("127.0.0.1:40001", answer);
  const reach = openReach({ shell, clock: systemClock, trace: silentTrace });
  opened.push(reach);
  return { shell, reach };
}

const dial = async (reach: Reach) => {
  const { port, host } = await reach.find("ins_1", there);
  const socket = connect({ port, host, allowHalfOpen: true });
  socket.on("error", () => {});
  return socket;
};

test("what is asked here is answered there, in both directions to their ends", async () => {
  const { reach } = makeStage((io) => {
    let said = "";
    io.on("data", (bytes) => {
      said += bytes;
    });
    io.on("end", () => io.end(`you said ${said}`));
  });
  const socket = await dial(reach);
  const answer = text(socket);
  socket.end("hello");
  expect(await answer).toBe("you said hello");
});

test("a megabyte comes through whole, though the far side closes right behind it", async () => {
  const { reach } = makeStage((io) => {
    io.end(Buffer.alloc(1_000_000, "x"));
    io.resume();
  });
  const socket = await dial(reach);
  expect((await text(socket)).length).toBe(1_000_000);
  socket.end();
});

test("an instance has one address, and none any more once it is forgotten; what is open goes on", async () => {
  const { reach } = makeStage((io) => void io.pipe(io));
  const first = await reach.find("ins_1", there);
  expect(await reach.find("ins_1", there)).toEqual(first);
  expect(await reach.find("ins_2", there)).not.toEqual(first);
  expect(await reach.find("ins_3", { host: "127.0.0.1", port: 0 })).toEqual({ host: "127.0.0.1", port: 0 });
  const socket = await dial(reach);
  socket.write("before");
  await once(socket, "data");
  reach.forget("ins_1");
  socket.write("after");
  expect(String((await once(socket, "data"))[0])).toBe("after");
  const late = connect(first.port, first.host);
  const [error] = await once(late, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
  socket.end();
});

const closed = (socket: Duplex) => new Promise((resolve) => socket.on("close", resolve));

test("a machine that cannot be reached breaks the connection off", async () => {
  const { reach, shell } = makeStage(() => {});
  shell.fail(new Fault("unreachable", "node5 is gone"));
  await closed(await dial(reach));
});

test("who breaks off here is broken off there, and the other way round", async () => {
  const far: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    far.push(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const forward = async () => connect(port, "127.0.0.1");
  const shell = { ...makeFakeShell(systemClock, "node5"), forward };
  const reach = openReach({ shell, clock: systemClock, trace: silentTrace });
  opened.push(reach);
  const one = await dial(reach);
  const first = await vi.waitUntil(() => far[0]);
  one.resetAndDestroy();
  await closed(first);
  const other = await dial(reach);
  (await vi.waitUntil(() => far[1])).resetAndDestroy();
  await closed(other);
  server.close();
});
