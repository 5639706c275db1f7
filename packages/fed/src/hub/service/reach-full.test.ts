import { expect, test, vi } from "vitest";
import { systemClock } from "#base/clock.ts";
import { silentTrace } from "#base/trace.ts";
import { makeFakeShell } from "#port/shell.fake.ts";
import { openReach } from "./reach.ts";

const files = vi.hoisted(() => ({ full: true }));

vi.mock("node:net", async (load) => {
  const net = await load<typeof import("node:net")>();
  return {
    ...net,
    createServer(...args: Parameters<typeof net.createServer>) {
      const server = net.createServer(...args);
      const refuse = () => {
        queueMicrotask(() => {
          server.emit("error", new Error("EMFILE"));
          // As a connection does that cannot be accepted.
          server.emit("error", new Error("EMFILE"));
        });
        return server;
      };
      if (files.full) server.listen = refuse;
      return server;
    },
  };
});

test("an instance that could not be led to for want of files is led to once there are some", async () => {
  const reach = openReach({ shell: makeFakeShell(systemClock, "node5"), clock: systemClock, trace: silentTrace });
  const there = { host: "127.0.0.1", port: 40_001 };
  await expect(reach.find("ins_1", there)).rejects.toThrow("EMFILE");
  files.full = false;
  const found = await reach.find("ins_1", there);
  expect(found.port).toBeGreaterThan(0);
  expect(await reach.find("ins_1", there)).toEqual(found);
  await reach.close();
});
