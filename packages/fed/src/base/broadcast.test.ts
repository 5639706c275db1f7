import { expect, test } from "vitest";
import { makeBroadcast } from "./broadcast.ts";

const going = () => new AbortController().signal;

async function collect(values: AsyncIterable<number>): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test("every reader gets what is sent after its call, before it first asks", async () => {
  const broadcast = makeBroadcast<number>(10);
  broadcast.send(0);
  const first = broadcast.read(going());
  broadcast.send(1);
  const second = broadcast.read(going());
  broadcast.send(2);
  broadcast.close();
  expect([await collect(first), await collect(second)]).toEqual([[1, 2], [2]]);
  expect(await collect(broadcast.read(going()))).toEqual([]);
});

test("a full queue loses its oldest", async () => {
  const broadcast = makeBroadcast<number>(2);
  const reader = broadcast.read(going());
  for (const value of [1, 2, 3]) broadcast.send(value);
  broadcast.close();
  expect(await collect(reader)).toEqual([2, 3]);
});

test("an abort ends a reader that waits, and one that has not begun", async () => {
  const broadcast = makeBroadcast<number>(2);
  const controller = new AbortController();
  const readers = [collect(broadcast.read(controller.signal)), broadcast.read(controller.signal)] as const;
  await Promise.resolve();
  controller.abort();
  expect(await readers[0]).toEqual([]);
  expect(await collect(readers[1])).toEqual([]);
  expect(await collect(broadcast.read(controller.signal))).toEqual([]);
});
