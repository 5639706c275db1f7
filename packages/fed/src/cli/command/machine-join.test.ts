import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives, refuses } from "../hub.scene.ts";

const allowed = () => gives({ token: "abc_-1", path: "/join/abc_-1", expiresMs: Date.now() + 3_600_000 });

test("machine join: the line to run there, alone on stdout", async () => {
  const desk = await makeDesk({ "/api/v1/machines/mbp/join": allowed });
  const { code, out, err } = await desk.fed(
    ...["machine", "join", "mbp", "--kind", "workstation", "--url", "https://fed.example.net/"],
  );
  expect([code, out]).toEqual([0, "curl -fsSL https://fed.example.net/join/abc_-1 | sh\n"]);
  expect(err).toContain("Run this on mbp. It works once");
  expect(err).not.toContain("does not find");
  expect(desk.hub.asked.map(({ body }) => body)).toEqual([{ kind: "workstation" }]);
});

test("machine join: says so when that machine would not find the hub", async () => {
  const desk = await makeDesk({ "/api/v1/machines/vps/join": allowed });
  const { out, err } = await desk.fed("machine", "join", "vps");
  expect(out).toBe(`curl -fsSL ${desk.hub.url}/join/abc_-1 | sh\n`);
  expect(err).toContain("vps does not find the hub at http://127.0.0.1:");
  expect(err).toContain("--host 0.0.0.0");
  const { line } = JSON.parse((await desk.fed("machine", "join", "vps", "--json")).out) as { line: string };
  expect(line).toBe(out.trim());
});

test("machine join: what the hub refuses is said", async () => {
  const desk = await makeDesk({ "/api/v1/machines/vps/join": () => refuses("denied", "this needs the role operator") });
  expect((await desk.fed("machine", "join", "vps")).code).toBe(6);
});
