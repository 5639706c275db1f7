import { expect, test } from "vitest";
import type { WireMachineDetail } from "#wire/machine.ts";
import { makeDesk } from "../command.scene.ts";
import { gives, refuses } from "../hub.scene.ts";

const nowMs = Date.now();
const node5: WireMachineDetail = {
  ...{ name: "node5", kind: "server", labels: {}, mode: "ssh", origin: "added", state: "degraded" },
  ...{
    detail: "containers: it may not ask Docker",
    sinceMs: nowMs - 60_000,
    seenMs: nowMs - 3_000,
    address: "10.0.0.5",
  },
  ...{ intervalMs: 10_000, services: ["dev/api"], port: 2222 },
  problems: [{ collector: "containers", reason: "it may not ask Docker\u001b[31m", sinceMs: nowMs - 60_000 }],
  tally: { units: { failed: 1, total: 2 }, updates: { pending: 2, security: 1, restart: false } },
  maintenance: { sinceMs: nowMs, reason: "new disk" },
  facts: {
    ...{ hostname: "node5", os: "Debian GNU/Linux 12", kernel: "6.1.0", architecture: "x64", cores: 4 },
    ...{ memoryBytes: 8 * 2 ** 30, bootedMs: nowMs - 86_400_000 },
  },
  units: [
    { name: "ssh.service", description: "SSH", active: "active", sub: "running", restarts: 0 },
    { name: "api.service", description: "The API <b>", active: "failed", sub: "failed", restarts: 3 },
  ],
  updates: [
    { name: "openssl", current: "3.0.11", next: "3.0.15", security: true, manager: "apt" },
    { name: "vim", current: "9.0", next: "9.1", security: false, manager: "apt" },
  ],
  processes: [{ pid: 7, user: "ada", name: "db", memoryBytes: 2 ** 20, threads: 1, startedMs: 0, cpu: 0.5 }],
};

test("machine show: how it is, why, and what is in trouble; nothing of it reaches the terminal unseen", async () => {
  const desk = await makeDesk({ "/api/v1/machines/node5": () => gives(node5) });
  const { code, out } = await desk.fed("machine", "show", "node5");
  expect(code).toBe(0);
  for (const words of [
    "node5  server  degraded for 1 min",
    "under maintenance, containers: it may not ask Docker, 1 unit failed, 1 security update",
    "asked by SSH at 10.0.0.5, port 2222, every 10 s",
    "Debian GNU/Linux 12, 6.1.0, x64",
    "4 cores, 8.0 GiB",
    "2 units, 1 failed",
    "api.service  failed, started again 3 times  The API <b>",
    "openssl  3.0.11  3.0.15",
    "db       7, ada  0.50 cores, 1.0 MiB",
  ]) {
    expect(out).toContain(words);
  }
  expect(out).not.toContain("vim");
  expect(out).not.toContain("\u001b");
  const data = JSON.parse((await desk.fed("machine", "show", "node5", "--json")).out) as { lastSeen: string };
  expect(data.lastSeen).toMatch(/Z$/);
});

test("machines: of another host key it says what to do, and not all fingerprints; an empty list says that it is", async () => {
  const key = { type: "ssh-ed25519", fingerprint: "SHA256:new" };
  const changed = {
    ...node5,
    ...{
      detail: "node5 shows another host key: SHA256:new, known: SHA256:old",
      tally: {},
      containers: [],
      storage: [],
    },
    hostKey: { known: [{ ...key, fingerprint: "SHA256:old" }], offered: key, sinceMs: nowMs },
  };
  const desk = await makeDesk({
    "/api/v1/machines": () => gives({ machines: [changed] }),
    "/api/v1/machines/node5": () => gives(changed),
  });
  const { out } = await desk.fed("machines");
  expect(out).toContain("its host key has changed: fed machine trust node5");
  expect(out).not.toContain("SHA256");
  const shown = (await desk.fed("machine", "show", "node5")).out.split("\n");
  expect(shown).toContain("0 containers");
  expect(shown).not.toContain("storage");
});

test("machine add: reads a place as SSH has it, looks at it, and says how it is", async () => {
  const desk = await makeDesk({
    "/api/v1/machines": () => gives(node5),
    "/api/v1/machines/node5/look": () => gives({ ...node5, state: "online", detail: "" }),
    "/api/v1/machines/six/look": () => gives({ ...node5, name: "six", state: "unknown", detail: "no answer" }),
  });
  expect(await desk.fed("machine", "add", "ada@Node5.lan:2222")).toMatchObject({
    ...{ code: 0, out: "node5 is in the fleet: online\n" },
  });
  expect((await desk.fed("machine", "add", "[fe80::1]:22", "--name", "six", "--kind", "workstation")).out).toContain(
    "unknown (no answer)",
  );
  const added = desk.hub.asked.filter(({ path }) => path === "/api/v1/machines").map(({ body }) => body);
  expect(added).toEqual([
    { name: "node5", kind: "server", address: "Node5.lan", user: "ada", port: 2222 },
    { name: "six", kind: "workstation", address: "fe80::1", port: 22 },
  ]);
});

test.each([
  [["10.0.0.5"], "--name"],
  [["ada@"], "127.0.0.1 or localhost"],
  [["[fe80::1"], "as SSH has it"],
  [["node5:99999"], "a port"],
  [["node5:0"], "port 22"],
  [["no de"], "127.0.0.1 or localhost"],
  [["node5", "--name", "Node 5"], "lower-case"],
  [["node5", "--name", "Node5"], "lower-case"],
])("machine add %j is refused before anybody is asked", async (words, hint) => {
  const desk = await makeDesk({});
  const { code, err } = await desk.fed("machine", "add", ...words);
  expect(code).toBe(2);
  expect(err).toContain(hint);
  expect(desk.hub.asked).toEqual([]);
});

test("machine remove: asks a person, and says what became of what ran there", async () => {
  const desk = await makeDesk({
    "/api/v1/machines/node5": () => gives({ ...node5, mode: "push" }),
    "/api/v1/machines/node5/remove": () => gives({ uninstalled: false }),
    "/api/v1/machines/lab": () => gives({ ...node5, name: "lab", origin: "lab" }),
    "/api/v1/machines/lab/remove": () => refuses("conflict", "lab stands in the lab file"),
  });
  expect((await desk.fed("machine", "remove", "node5")).err).toContain("--yes");
  expect(await desk.fed("machine", "remove", "node5", "--yes")).toMatchObject({
    ...{ code: 0, out: "node5 is not in the fleet any more\n", err: expect.stringContaining("when it reports next") },
  });
  expect((await desk.fed("machine", "remove", "lab", "--yes")).code).toBe(5);
});

test("machine maintenance: begins for a while or until it is ended, and says until when", async () => {
  const desk = await makeDesk({ "/api/v1/machines/node5/maintenance": () => gives(node5) });
  const begun = await desk.fed("machine", "maintenance", "node5", "--for", "2h", "--reason", "new disk");
  expect(begun.out).toContain("under maintenance until 20");
  expect((await desk.fed("machine", "maintenance", "node5")).out).toContain("--end");
  expect((await desk.fed("machine", "maintenance", "node5", "--end")).out).toContain("no more");
  for (const words of [
    ["--for", "soon"],
    ["--for", "2h", "--end"],
  ]) {
    expect((await desk.fed("machine", "maintenance", "node5", ...words)).code).toBe(2);
  }
  expect(desk.hub.asked.map(({ body }) => body)).toEqual([
    { on: true, reason: "new disk", untilMs: expect.closeTo(Date.now() + 7_200_000, -5) },
    { on: true, reason: "" },
    { on: false, reason: "" },
  ]);
});
