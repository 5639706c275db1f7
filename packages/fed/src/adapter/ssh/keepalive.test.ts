import { expect, test } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { keepAlive, keepaliveMs } from "./keepalive.ts";

function makeConnection(answers: () => boolean) {
  let [bytes, asked] = [0, 0];
  let gone: string | undefined;
  let call: (reason: string) => void = () => {};
  return {
    clock: handClock(),
    get asked() {
      return asked;
    },
    get gone() {
      return gone;
    },
    hear: () => void bytes++,
    readBytes: () => bytes,
    client: {
      unforwardIn() {
        asked++;
        if (answers()) bytes++;
      },
    },
    onGone(next: (reason: string) => void) {
      call = next;
      return () => {};
    },
    end(reason: string) {
      gone = reason;
      call(reason);
    },
  };
}

test("a machine that answers lives on, and one that talks is not asked", async () => {
  const connection = makeConnection(() => true);
  keepAlive(connection, connection.clock);
  for (let i = 0; i < 20; i++) await connection.clock.turn(keepaliveMs);
  expect([connection.gone, connection.asked]).toEqual([undefined, 10]);
  for (let i = 0; i < 20; i++) {
    connection.hear();
    await connection.clock.turn(keepaliveMs);
  }
  expect([connection.gone, connection.asked]).toEqual([undefined, 10]);
  connection.end("closed");
  expect(connection.clock.waiting).toBe(0);
});

test("one that gives no sign of life three times is gone, and no timer is left", async () => {
  const connection = makeConnection(() => false);
  keepAlive(connection, connection.clock);
  await connection.clock.turn(4 * keepaliveMs - 1);
  expect([connection.gone, connection.asked]).toEqual([undefined, 3]);
  await connection.clock.turn(1);
  expect(connection.gone).toBe("no sign of life for 60 s");
  expect(connection.clock.waiting).toBe(0);
});
