import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { makeStage, portOf, type Stage } from "#port/ingress.scene.ts";
import { limit } from "./limit.ts";
import { openWebSocketTunnel } from "./tunnel.ts";
import { goodbye } from "./web-socket.ts";

let stage: Stage;
beforeEach(() => {
  stage = makeStage();
});
afterEach(() => stage.end());

/** A connection: its far end, and the one that the tunnel has. */
async function makePair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const far = connect({ host: "127.0.0.1", port: portOf(server), allowHalfOpen: true });
  const [near] = (await once(server, "connection")) as [Socket];
  server.close();
  stage.onEnd(() => far.destroy());
  stage.onEnd(() => near.destroy());
  return [far, near];
}

/** Reads all that comes. */
function read(socket: Socket) {
  let got = Buffer.alloc(0);
  socket.on("data", (part: Buffer) => {
    got = Buffer.concat([got, part]);
  });
  return {
    all: once(socket, "end").then(() => got),
    atLeast: (sizeBytes: number) => vi.waitFor(() => expect(got.length).toBeGreaterThanOrEqual(sizeBytes)),
  };
}

async function makeTunnel() {
  const clock = handClock();
  const [client, nearClient] = await makePair();
  const [instance, nearInstance] = await makePair();
  const ended = Promise.withResolvers<void>();
  const ends = { client: nearClient, instance: nearInstance, onEnd: ended.resolve };
  const said = { ofClient: Buffer.alloc(0), ofInstance: Buffer.from([0x81, 0x01, 0x61]) };
  const flight = openWebSocketTunnel(ends, said, clock);
  return { clock, client, instance, flight, ended: ended.promise, first: said.ofInstance };
}

test("cut off in the middle of a message, the client gets the rest of it and is told; so is the instance", async () => {
  const { client, instance, flight, ended, first } = await makeTunnel();
  const heard = read(client);
  const atInstance = read(instance);
  instance.write(Buffer.from([0x81, 0x05, 0x31, 0x32]));
  await heard.atLeast(first.length + 4);
  flight.cut();
  flight.cut();
  expect(await atInstance.all).toEqual(goodbye.toInstance);
  instance.write(Buffer.from([0x33, 0x34, 0x35, 0x81, 0x01, 0x99]));
  expect(await heard.all).toEqual(
    Buffer.from([...first, 0x81, 0x05, 0x31, 0x32, 0x33, 0x34, 0x35, ...goodbye.toClient]),
  );
  client.end();
  instance.end();
  await ended;
});

test("who does not end by itself after that is cut off, who has said goodbye is not told again", async () => {
  const { clock, client, instance, flight, ended, first } = await makeTunnel();
  const heard = read(client);
  instance.write(goodbye.toClient);
  await heard.atLeast(first.length + goodbye.toClient.length);
  flight.cut();
  expect(await heard.all).toEqual(Buffer.concat([first, goodbye.toClient]));
  expect(clock.waiting).toBe(1);
  await clock.turn(limit.farewellMs);
  await ended;
  expect(clock.waiting).toBe(0);
});
