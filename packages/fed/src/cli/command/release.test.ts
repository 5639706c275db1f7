import { expect, test } from "vitest";
import type { WireRelease, WireRollout } from "#wire/release.ts";
import { makeDesk } from "../command.scene.ts";
import { gives, streams } from "../hub.scene.ts";

const service = {
  ...{ service: "blog", machine: "hub", state: "healthy", detail: "", crashes: 0 },
  ...{ replicas: { wanted: 1, healthy: 1 }, instances: [] },
};
const status = {
  lab: { name: "ocean", hash: "0123456789abcdef", file: "/srv/lab.ts", acceptedMs: 0 },
  ...{ ready: true, ingress: "http://127.0.0.1:8080", environments: ["dev", "prod"] },
  services: [
    { ...service, environment: "dev" },
    { ...service, environment: "prod" },
  ],
};
const image = { kind: "image", id: `sha256:${"ab".repeat(32)}`, source: "./blog", commit: "c0ffee1234" } as const;

function release(number: number, more: Partial<WireRelease> = {}): WireRelease {
  return {
    ...{ id: `rel_${number}`, environment: "prod", service: "blog", number, spec: "0123", artifact: image },
    ...{ machine: "hub", madeMs: Date.now() - 60_000, madeBy: "user:ada", wanted: false, good: true },
    ...more,
  };
}

function rollout(more: Partial<WireRollout> = {}): WireRollout {
  return {
    ...{ id: "rol_1", environment: "prod", service: "blog", cause: "deploy", state: "preparing", reason: "" },
    ...{ output: "", beganMs: Date.now() - 5_000, by: "user:ada", correlation: "cor_1", steps: [] },
    ...more,
  };
}

const path = "/api/v1/services/prod/blog";
const begins = { "/api/v1/status": () => gives(status), [`${path}/deploy`]: () => gives({ rollout: rollout() }) };

test("deploy: says which environment is missing, begins, and tells where to look", async () => {
  const desk = await makeDesk(begins);
  expect(await desk.fed("deploy", "blog")).toMatchObject({
    code: 2,
    err: expect.stringContaining("dev/blog, prod/blog"),
  });
  expect(await desk.fed("deploy", "blog", "--env", "test")).toMatchObject({
    code: 4,
    err: expect.stringContaining("It runs in: dev, prod."),
  });
  expect(await desk.fed("deploy", "blog", "--env", "prod")).toEqual({
    ...{ code: 0, err: "" },
    out: "deploying prod/blog; fed releases prod/blog shows how far it is\n",
  });
  expect(JSON.parse((await desk.fed("deploy", "prod/blog", "--json")).out)).toMatchObject({ id: "rol_1" });
});

test("deploy --wait: steps and lines once each, how it ended, and 1 when it failed", async () => {
  const build = { id: "prepare 1", text: "build ./blog on hub", startedMs: 1 };
  const start = { id: "s1", text: "wait until it is healthy", startedMs: 2 };
  const before = { id: "rel_3", number: 3 };
  const next = { id: "rel_4", number: 4 };
  const steps = [{ ...build, state: "done" as const, tookMs: 2_400 }];
  const items = [
    { kind: "rollout", rollout: rollout({ steps: [{ ...build, state: "running" }] }) },
    { kind: "line", text: "Step 1/2 : FROM scratch" },
    { kind: "rollout", rollout: rollout({ steps }) },
    { kind: "rollout", rollout: rollout({ state: "rolling", release: next, before, steps }) },
    {
      kind: "rollout",
      rollout: rollout({ state: "rolling", waits: "waits for prod/db, which is not healthy", steps }),
    },
    {
      kind: "rollout",
      rollout: rollout({ state: "rolling", waits: "waits for prod/db, which is not healthy", steps }),
    },
    {
      kind: "rollout",
      rollout: rollout({
        ...{
          state: "failed",
          release: next,
          before,
          reason: "exit code 1",
          output: "no database\n",
          endedMs: Date.now(),
        },
        steps: [...steps, { ...start, state: "failed", tookMs: 100, reason: "ended before it was healthy" }],
      }),
    },
  ];
  const follow = { "/api/v1/rollouts/rol_1/follow": () => streams(items.map((item) => ({ item }))) };
  const desk = await makeDesk({ ...begins, ...follow });
  const { code, out } = await desk.fed("deploy", "prod/blog", "--wait");
  expect(out.split("\n")).toEqual([
    "  Step 1/2 : FROM scratch",
    "✓ build ./blog on hub  2.4 s",
    "! it waits for prod/db, which is not healthy",
    "✗ wait until it is healthy: ended before it was healthy",
    "release 4 of prod/blog failed: exit code 1",
    "  no database",
    "release 3 serves as before",
    "",
  ]);
  expect(code).toBe(1);

  const done = rollout({ state: "done", release: next, endedMs: Date.now() });
  const good = await makeDesk({
    ...begins,
    "/api/v1/rollouts/rol_1/follow": () => streams([{ item: { kind: "rollout", rollout: done } }]),
  });
  expect(await good.fed("deploy", "prod/blog", "--wait")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^release 4 of prod\/blog serves {2}5\.\d s\n$/),
  });
});

test("deploy --wait: a hub that goes before the end is not the end of the rollout", async () => {
  const begun = { item: { kind: "rollout", rollout: rollout() } };
  const closing = { problem: { code: "unreachable", detail: "the hub is closing", type: "", title: "", status: 503 } };
  for (const [reply, what] of [
    [streams([begun, closing]), "the hub is closing"],
    [streams([begun]), "the hub tells no more"],
    [streams([begun], "breaks"), "the connection to the hub broke off"],
  ] as const) {
    const desk = await makeDesk({ ...begins, "/api/v1/rollouts/rol_1/follow": () => reply });
    const { code, out, err } = await desk.fed("deploy", "prod/blog", "--wait");
    expect({ code, out }).toEqual({ code: 7, out: "" });
    expect(err).toContain(`${what}; the rollout of prod/blog has not ended`);
    expect(err).toContain("fed releases prod/blog shows how far it is");
  }
});

test("a restart is a rollout, too: it is told of, and followed", async () => {
  const begun = rollout({ cause: "restart", state: "rolling", release: { id: "rel_4", number: 4 } });
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
    [`${path}/restart`]: () => gives({ done: true }),
    [`${path}/releases`]: () => gives({ releases: [], rollouts: [begun] }),
    "/api/v1/rollouts/rol_1/follow": () =>
      streams([{ item: { kind: "rollout", rollout: { ...begun, state: "failed", reason: "exit code 1" } } }]),
  });
  expect(await desk.fed("restart", "prod/blog")).toMatchObject({
    code: 0,
    out: "restarting prod/blog; fed releases prod/blog shows how far it is\n",
  });
  expect(await desk.fed("restart", "blog", "--env", "prod", "--wait")).toMatchObject({
    code: 1,
    out: "release 4 of prod/blog failed: exit code 1\n",
  });
});

test("rollback, promote and cancel hand on what is meant", async () => {
  const ended = rollout({ state: "cancelled", before: { id: "rel_3", number: 3 } });
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
    [`${path}/rollback`]: () =>
      gives({ rollout: rollout({ cause: "rollback", state: "rolling", release: { id: "rel_2", number: 2 } }) }),
    [`${path}/promote`]: () => gives({ rollout: rollout({ cause: "promote", promotedFrom: "dev" }) }),
    [`${path}/cancel`]: () => gives({ rollout: ended }),
  });
  expect((await desk.fed("rollback", "prod/blog", "--to", "2")).out).toMatch(/^prod\/blog goes back to release 2;/);
  expect((await desk.fed("rollback", "prod/blog")).code).toBe(0);
  expect((await desk.fed("promote", "blog", "--env", "prod", "--from", "dev")).out).toMatch(/serves in dev;/);
  expect((await desk.fed("cancel", "prod/blog")).out).toBe(
    "the rollout of prod/blog was cancelled; release 3 serves as before\n",
  );
  const bodies = desk.hub.asked.filter((one) => one.path !== "/api/v1/status").map(({ body }) => body);
  expect(bodies).toEqual([{ to: 2 }, {}, { from: "dev" }, {}]);
});

test("releases: one that was chosen while nothing was to run is not shown as any that never served", async () => {
  const idle = rollout({ state: "done", reason: "nothing of it is to run now", endedMs: Date.now() });
  const states = async (open: readonly WireRollout[]) => {
    const releases = [release(4, { wanted: true, good: false }), release(3, { good: false })];
    const desk = await makeDesk({
      "/api/v1/status": () => gives(status),
      [`${path}/releases`]: () => gives({ releases, rollouts: open }),
    });
    return (await desk.fed("releases", "prod/blog")).out.match(
      /^\d +(?:on its way|never served|chosen, never served)/gm,
    );
  };
  expect(await states([idle])).toEqual(["4        chosen, never served", "3        never served"]);
  expect(await states([rollout({ state: "rolling" }), idle])).toEqual(["4        on its way", "3        never served"]);
});

test("releases: what is kept and how it went, one of them, and what changed between two", async () => {
  const all = {
    releases: [release(4, { wanted: true }), release(3), release(2, { good: false, artifact: { kind: "process" } })],
    rollouts: [
      rollout({ state: "failed", reason: "exit code 1", release: { id: "rel_4", number: 4 }, endedMs: Date.now() }),
    ],
  };
  const changes = [
    { field: "env.LOG", from: "info", to: "debug" },
    { field: "route", to: "blog.example.org" },
  ];
  const desk = await makeDesk({
    "/api/v1/status": () => gives(status),
    [`${path}/releases`]: () => gives(all),
    [`${path}/releases/3`]: () =>
      gives({ ...release(3), fields: { machine: "hub", "env.DB": "secret DB (version 2)" } }),
    [`${path}/releases/4/diff`]: ({ query }) =>
      gives({ from: release(Number(query.get("from"))), to: release(4), changes }),
  });
  const { out } = await desk.fed("releases", "prod/blog");
  expect(out).toMatch(/^4 +current +\.\/blog at c0ffee12 \(abababababab\) +hub +1 min +user:ada$/m);
  expect(out).toMatch(/^2 +never served +process /m);
  expect(out).toMatch(/^deploy +4 +failed +5 s +5\.\d s +user:ada +exit code 1$/m);
  expect((await desk.fed("releases", "prod/blog", "3")).out).toMatch(
    /^env\.DB +secret DB \(version 2\)\nmachine +hub$/m,
  );
  expect((await desk.fed("releases", "prod/blog", "3", "4")).out).toBe(
    "prod/blog: release 3 → 4\n- env.LOG: info\n+ env.LOG: debug\n+ route: blog.example.org\n",
  );
  expect(await desk.fed("releases", "prod/blog", "3", "3")).toMatchObject({ code: 2 });
  expect(JSON.parse((await desk.fed("releases", "prod/blog", "--json")).out)).toEqual(JSON.parse(JSON.stringify(all)));
});
