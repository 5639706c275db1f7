import { expect, test } from "vitest";
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

test("restart: says where to look, denies as the hub does, and knows the names", async () => {
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
    "/api/v1/services/dev/api/restart": ({ token }) => (token === "local" ? gives({ done: true }) : refuses("denied")),
  });
  expect(await desk.fed("restart", "api")).toMatchObject({ code: 0, out: expect.stringContaining("fed status") });
  expect((await desk.fed("restart", "dev/api", "--json")).out).toBe('{"environment":"dev","service":"api"}\n');
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
  expect((await desk.fed("logs", "api", "--json")).out).toBe(
    '{"instance":"ins_abcd","text":"line 1"}\n{"instance":"ins_abcd","text":"line 2"}\n',
  );
  expect((await desk.fed("logs", "api", "-n", "0")).err).toBe("dev/api: no lines were asked for\n");
});
