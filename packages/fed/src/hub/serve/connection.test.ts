import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { trackConnections } from "./connection.ts";

/** A server that makes connections as it is told, from any address. */
function openScene(limits: { readonly connections: number; readonly connectionsOfOne: number }) {
  const server = new EventEmitter();
  const connections = trackConnections(server, limits);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const connect = (address: string): Socket => {
    const socket = Object.defineProperty(new Socket(), "remoteAddress", { value: address });
    sockets.push(socket);
    server.emit("connection", socket);
    return socket;
  };
  /** A request on this connection; the returned function ends its answer. */
  const ask = (socket: Socket): (() => void) => {
    const response = new EventEmitter();
    server.emit("request", { socket }, response);
    return () => void response.emit("close");
  };
  return { connections, connect, ask };
}

const alive = (sockets: readonly Socket[]) => sockets.map(({ destroyed }) => !destroyed);

test("one address has so many, and who comes from it takes the seat of its own", () => {
  const { connect, ask } = openScene({ connections: 10, connectionsOfOne: 2 });
  const other = connect("192.0.2.8");
  const mine = [connect("192.0.2.7"), connect("192.0.2.7"), connect("::ffff:192.0.2.7")];
  expect(alive([other, ...mine])).toEqual([true, false, true, true]);
  mine.slice(1).forEach(ask);
  expect(alive([connect("192.0.2.7"), connect("192.0.2.8"), other, ...mine])).toEqual([
    ...[false, true, true],
    ...[false, true, true],
  ]);
});

test.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])("%s has no limit of its own", (address) => {
  const { connect } = openScene({ connections: 10, connectionsOfOne: 2 });
  expect(alive(Array.from({ length: 10 }, () => connect(address)))).toEqual(Array(10).fill(true));
});

test("a place that was left is free again", async () => {
  const { connect, ask } = openScene({ connections: 10, connectionsOfOne: 1 });
  for (let i = 0; i < 3; i++) {
    const socket = connect("192.0.2.7");
    ask(socket);
    expect(alive([socket, connect("192.0.2.7")])).toEqual([true, false]);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy();
    await closed;
  }
});

test("when all seats are taken the one that has asked nothing for longest goes; who has an answer under way stays", () => {
  const { connect, ask } = openScene({ connections: 3, connectionsOfOne: 3 });
  const [busy, used, never] = [connect("192.0.2.1"), connect("192.0.2.2"), connect("192.0.2.3")];
  ask(busy);
  ask(used)();
  const local = connect("127.0.0.1");
  expect(alive([busy, used, never, local])).toEqual([true, true, false, true]);
  ask(local);
  const next = connect("192.0.2.4");
  expect(alive([busy, used, local, next])).toEqual([true, false, true, true]);
  const end = ask(next);
  expect(alive([connect("192.0.2.5"), connect("127.0.0.1")])).toEqual([false, false]);
  end();
  expect(alive([connect("192.0.2.5"), busy, local, next])).toEqual([true, true, true, false]);
});

test("a second request on a connection keeps it busy", () => {
  const { connect, ask } = openScene({ connections: 1, connectionsOfOne: 1 });
  const socket = connect("127.0.0.1");
  const [endFirst, endSecond] = [ask(socket), ask(socket)];
  endFirst();
  expect(alive([connect("127.0.0.1"), socket])).toEqual([false, true]);
  endSecond();
  expect(alive([connect("127.0.0.1"), socket])).toEqual([true, false]);
});
