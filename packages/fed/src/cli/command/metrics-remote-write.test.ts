import { expect, test } from "vitest";
import type { RemoteWriteTarget } from "#wire/remote-write.ts";
import { makeDesk } from "../command.scene.ts";
import { gives } from "../hub.scene.ts";

const target = (name: string, more: Partial<RemoteWriteTarget> = {}): RemoteWriteTarget => ({
  ...{ name, url: `http://${name}:9090/api/v1/write`, state: "sending", sinceMs: 0, sentSamples: 12_345 },
  ...{ refusedSamples: 0, droppedSamples: 0, retries: 0, pendingBytes: 0, lagMs: 0, ...more },
});

test("metrics remote-write: a table, data, and 3 when a target cannot be sent to", async () => {
  const lastError = { atMs: Date.now() - 120_000, kind: "later" as const, reason: "it answers 503" };
  const targets = [
    target("near"),
    target("years", { state: "failing", pendingBytes: 2_097_152, lagMs: 3_600_000, droppedSamples: 7, lastError }),
    target("back", { refusedSamples: 1, lastError }),
  ];
  const desk = await makeDesk({ "/api/v1/remote-write": () => gives({ targets }) });
  const { code, out } = await desk.fed("metrics", "remote-write");
  expect(code).toBe(3);
  expect(out.split("\n").map((line) => line.trim().split(/\s{2,}/))).toEqual([
    ["TARGET", "STATE", "SENT", "WAITING", "BEHIND", "REFUSED", "DROPPED"],
    ["near", "sending", "12,345", "0 B", "0", "0", "http://near:9090/api/v1/write"],
    ["years", "failing", "12,345", "2.0 MiB", "1 h", "0", "7", "it answers 503"],
    ["back", "sending", "12,345", "0 B", "1", "0", "2 min ago: it answers 503"],
    [""],
  ]);
  expect(JSON.parse((await desk.fed("metrics", "remote-write", "--json")).out)).toEqual(targets);
});

test("metrics remote-write: nobody is a word", async () => {
  const desk = await makeDesk({ "/api/v1/remote-write": () => gives({ targets: [] }) });
  expect(await desk.fed("metrics", "remote-write")).toMatchObject({
    ...{ code: 0, out: expect.stringContaining("metrics.remoteWrite") },
  });
});
