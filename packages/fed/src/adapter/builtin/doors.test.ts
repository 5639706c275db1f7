import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Doors, makeDoors } from "./doors.ts";

const opened: Doors[] = [];
afterEach(async () => {
  for (const doors of opened.splice(0)) await doors.close();
});

function open() {
  const doors = makeDoors((_port, socket) => socket.end("welcome"));
  opened.push(doors);
  return doors;
}

async function says(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  try {
    const [bytes] = await once(socket, "data");
    return String(bytes);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? "";
  } finally {
    socket.destroy();
  }
}

const port = 29_871;
const doorAt = (...hosts: readonly string[]) => new Map([[port, { service: "dev/api", hosts }]]);

test("a door is open at its other addresses, too, and closed there when they are not wanted any more", async () => {
  const doors = open();
  await doors.open(doorAt("127.0.0.9"));
  expect([await says("127.0.0.1", port), await says("127.0.0.9", port)]).toEqual(["welcome", "welcome"]);
  await doors.open(doorAt());
  doors.closeAllBut(doorAt());
  expect([await says("127.0.0.1", port), await says("127.0.0.9", port)]).toEqual(["welcome", "ECONNREFUSED"]);
});

test("an address that this machine does not have is left out", async () => {
  const doors = open();
  await doors.open(doorAt("203.0.113.9"));
  expect(await says("127.0.0.1", port)).toBe("welcome");
});
