import { describe, expect, test } from "vitest";
import type { WireMachine } from "#wire/machine.ts";
import { makeDesk } from "../command.scene.ts";
import { gives, refuses, streams } from "../hub.scene.ts";

function machine(name: string, more: Partial<WireMachine>): WireMachine {
  return {
    ...{ name, kind: "server", labels: {}, mode: "ssh", origin: "lab", state: "online", detail: "", sinceMs: 0 },
    ...{ intervalMs: 10_000, problems: [], tally: {}, services: [] },
    ...more,
  };
}

test("machines: a table, data with times people read, and 3 when a server is offline", async () => {
  const machines = [
    machine("hub", { services: ["dev/api"], seenMs: Date.now() - 3_600_000 }),
    machine("node5", { state: "offline", detail: "no answer" }),
    machine("laptop", { kind: "workstation", state: "away" }),
  ];
  const desk = await makeDesk({ "/api/v1/machines": () => gives({ machines }) });
  const { code, out } = await desk.fed("machines");
  expect(code).toBe(3);
  expect(out.split("\n")).toEqual([
    "MACHINE  KIND         STATE    LAST SEEN  SERVICES  SYSTEM",
    "hub      server       online     1 h ago         1",
    "node5    server       offline      never         0          no answer",
    "laptop   workstation  away         never         0",
    "",
  ]);
  const data = JSON.parse((await desk.fed("machines", "--json")).out) as { lastSeen: string | null }[];
  expect(data.map(({ lastSeen }) => lastSeen)).toEqual([expect.stringMatching(/^\d{4}-.*Z$/), null, null]);
});

test("machines: those that are away are no bad news, and none is a word", async () => {
  const away = await makeDesk({
    "/api/v1/machines": () => gives({ machines: [machine("laptop", { kind: "workstation", state: "away" })] }),
  });
  expect((await away.fed("machines")).code).toBe(0);
  const none = await makeDesk({ "/api/v1/machines": () => gives({ machines: [] }) });
  expect((await none.fed("machines")).out).toContain("no machines yet");
  expect((await none.fed("machines", "--json")).out).toBe("[]\n");
});

const status = {
  lab: { name: "ocean", hash: "0123456789abcdef", file: "/srv/lab.ts", acceptedMs: 0 },
  ...{ ready: true, ingress: "http://127.0.0.1:8080", environments: ["dev"] },
  services: [
    {
      ...{ environment: "dev", service: "api", machine: "hub", state: "healthy", detail: "", crashes: 0 },
      ...{ replicas: { wanted: 1, healthy: 1 }, instances: [] },
    },
  ],
};

test("restart: denies as the hub does, and knows the names", async () => {
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
  });
  expect(await desk.fed("restart", "apo")).toMatchObject({
    code: 4,
    err: expect.stringContaining("did you mean api?"),
  });
  const token = { FED_TOKEN: "viewer" };
  const elsewhere = await makeDesk(
    { "/api/v1/status": () => gives(status), "/api/v1/services/dev/api/restart": () => refuses("denied", "not you") },
    { here: false, variables: token },
  );
  expect(await elsewhere.fed("restart", "api", "--hub", elsewhere.hub.url)).toMatchObject({ code: 6, out: "" });
});

test("status: the disk that is full is told with its folder, and ends with 3", async () => {
  const diskFull = { sinceMs: Date.now() - 300_000, refused: 2, folder: "/srv/fed" };
  const desk = await makeDesk({ "/api/v1/status": () => gives({ ...status, diskFull }) });
  const { code, out } = await desk.fed("status");
  expect(code).toBe(3);
  expect(out).toMatch(/disk .*full.*5 min.*\/srv\/fed/);
});

test("logs: without follow no place is asked for, and silence is told", async () => {
  const lines = [1, 2].map((n) => ({ item: { instance: "ins_abcd", text: `line ${n}`, at: String(n) } }));
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
    "/api/v1/services/dev/api/logs": ({ query }) => streams(query.get("tail") === "0" ? [] : lines),
  });
  expect(await desk.fed("logs", "api")).toEqual({ code: 0, out: "line 1\nline 2\n", err: "" });
  expect(await desk.fed("logs", "api", "--env", "dev")).toMatchObject({ code: 0, out: "line 1\nline 2\n" });
  expect(await desk.fed("logs", "api", "--env", "prod")).toMatchObject({ code: 4 });
  expect((await desk.fed("logs", "api", "--json")).out).toBe(
    '{"instance":"ins_abcd","text":"line 1"}\n{"instance":"ins_abcd","text":"line 2"}\n',
  );
  expect((await desk.fed("logs", "api", "-n", "0")).err).toBe("dev/api: no lines were asked for\n");
});

describe("logs of what is gone", () => {
  const path = "/api/v1/services/dev/api";
  const instance = "ins_0001abcd";
  const kept = { instance, release: "rel_1", startedMs: 0, endedMs: 90_000, exit: "exit code 3", sizeBytes: 2_048 };
  const lines = [{ item: { instance, text: "last words", at: "1" } }];

  test("--list names the instances, and how each ended", async () => {
    const desk = await makeDesk({
      "/api/v1/status": () => gives(status),
      [`${path}/kept-logs`]: () => gives({ logs: [kept] }),
    });
    const { out } = await desk.fed("logs", "api", "--list");
    expect(out).toMatch(/^ins_0001abcd .* 1 min +exit code 3 +2\.0 KiB$/m);
    expect(JSON.parse((await desk.fed("logs", "api", "-l", "--json")).out)).toEqual([kept]);
  });

  test("--instance and --gone ask for them, also where the lab has the service no more", async () => {
    const none = { ...status, services: [] };
    const desk = await makeDesk({ "/api/v1/status": () => gives(none), [`${path}/logs`]: () => streams(lines) });
    expect(await desk.fed("logs", "dev/api", "--instance", "abcd")).toEqual({ code: 0, out: "last words\n", err: "" });
    expect((await desk.fed("logs", "dev/api", "--gone", "-n", "5")).out).toBe("abcd │ last words\n");
    expect(desk.hub.asked.filter(({ path: asked }) => asked.endsWith("/logs")).map(({ query }) => `${query}`)).toEqual([
      "tail=200&gone=false&follow=false&instance=abcd",
      "tail=5&gone=true&follow=false",
    ]);
    expect(await desk.fed("logs", "api", "--gone")).toMatchObject({ code: 4 });
    expect((await desk.fed("logs", "api", "--gone", "--env", "dev", "-n", "5")).out).toBe("abcd │ last words\n");
    expect(await desk.fed("logs", "dev/api", "--gone", "--env", "prod")).toMatchObject({ code: 4 });
  });
});
