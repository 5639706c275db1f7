import { checkLab, type LabDocument } from "@fed/lab";
import { expect, test } from "vitest";
import type { CallContext } from "#wire/handler.ts";
import { secretHandlers } from "./http.ts";
import { makeFolder, openTestVault, origin } from "./secret.scene.ts";

const written = {
  name: "ocean",
  machines: {
    hub: {
      ...{ kind: "server", address: "local" },
      exporters: { nas: { url: "http://nas:1/", auth: { token: { secret: "NAS" } } } },
    },
  },
  environments: { dev: { machines: ["hub"] }, prod: { machines: ["hub"] } },
  secrets: { DB: {}, KEY: { in: ["prod"] }, NAS: {}, FAR: {}, PULL: {} },
  registries: { "ghcr.io": { auth: { user: "ada", password: { secret: "PULL" } } }, "nas:5000": {} },
  services: {
    blog: {
      run: { kind: "process", command: "node blog" },
      env: {
        DATABASE_URL: { secret: "DB" },
        AGAIN: { secretFile: "DB" },
        KEY_FILE: { prod: { secretFile: "KEY" }, dev: "x" },
      },
    },
    tool: { run: { kind: "process", command: "node tool" }, in: ["dev"], env: { DB: { secretFile: "DB" } } },
  },
  metrics: {
    remoteWrite: { far: { url: "http://far/", auth: { user: "ada", password: { secret: "FAR" } } } },
  },
};

async function openDoor() {
  expect(checkLab(written)).toEqual([]);
  const { vault } = await openTestVault(await makeFolder());
  const lab = written as unknown as LabDocument;
  const door = secretHandlers({ vault, lab: () => lab, onSet: () => [] });
  return { vault, door, context: { ...origin } as CallContext };
}

const uses = {
  devBlog: { name: "DB", environment: "dev", by: "dev/blog" },
  devTool: { name: "DB", environment: "dev", by: "dev/tool" },
  prodBlog: { name: "DB", environment: "prod", by: "prod/blog" },
};

test("what the lab needs is missing until it has a value there", async () => {
  const { door, context } = await openDoor();
  expect(await door.secrets({}, context)).toEqual({
    secrets: [],
    missing: [
      ...[uses.devBlog, uses.prodBlog, { name: "KEY", environment: "prod", by: "prod/blog" }, uses.devTool],
      ...[
        { name: "NAS", by: "exporter hub/nas" },
        { name: "FAR", by: "remote write far" },
        { name: "PULL", by: "registry ghcr.io" },
      ],
    ],
  });
  for (const name of ["DB", "KEY", "FAR"]) await door.setSecret({ name, environment: "prod", value: "v" }, context);
  const { secrets, missing } = await door.secrets({}, context);
  expect(secrets.map(({ name, environment, version }) => [name, environment, version])).toEqual([
    ...[
      ["DB", "prod", 1],
      ["FAR", "prod", 1],
      ["KEY", "prod", 1],
    ],
  ]);
  // The hub itself is in no environment.
  const hubs = ["exporter hub/nas", "remote write far", "registry ghcr.io"];
  expect(missing.map(({ by }) => by)).toEqual(["dev/blog", "dev/tool", ...hubs]);
});

test("who sets a value is told who gets it", async () => {
  const { door, context } = await openDoor();
  const set = (name: string, environment?: string) =>
    Promise.resolve(
      door.setSecret({ name, value: "v", ...(environment === undefined ? {} : { environment }) }, context),
    );
  expect(await set("DB", "prod")).toEqual({
    version: 1,
    changed: true,
    declared: true,
    uses: [uses.prodBlog],
    begins: [],
  });
  // prod has its own.
  expect(await set("DB")).toEqual({
    version: 2,
    changed: true,
    declared: true,
    uses: [uses.devBlog, uses.devTool],
    begins: [],
  });
  expect(await set("NAS")).toMatchObject({ uses: [{ name: "NAS", by: "exporter hub/nas" }] });
  expect(await set("DB", "prdo")).toMatchObject({ declared: false, uses: [] });
  expect(await set("DV")).toMatchObject({ declared: false, uses: [] });
  expect(await set("KEY", "dev")).toMatchObject({ declared: false, uses: [] });
});

test("no answer has a value in it", async () => {
  const { door, context, vault } = await openDoor();
  const value = "correct horse battery staple";
  const answers = [
    await door.setSecret({ name: "DB", value }, context),
    await door.secrets({}, context),
    await door.removeSecret({ name: "DB" }, context),
    await Promise.resolve(door.removeSecret({ name: "DB" }, context)).catch(String),
    await vault.values.reveal("DB", "dev", 7).catch(String),
  ];
  expect(JSON.stringify(answers)).not.toContain(value);
});
