import { expect, test } from "vitest";
import { makeDesk } from "../command.scene.ts";
import { gives, refuses } from "../hub.scene.ts";
import type { KeptData } from "../kept-data.ts";

const status = {
  lab: { name: "ocean", hash: "0123456789abcdef", file: "/srv/lab.ts", acceptedMs: 0 },
  ...{ ready: true, ingress: "http://127.0.0.1:8080", environments: ["dev"] },
  services: [
    {
      ...{ environment: "dev", service: "db", machine: "hub", state: "healthy", detail: "", crashes: 0 },
      ...{ replicas: { wanted: 1, healthy: 1 }, instances: [] },
    },
  ],
};

const kept = (service: string, name: string, used: boolean, environment = "dev"): KeptData => ({
  ...{ environment, service, name, used, machine: "nas" },
});

function makeHub(data: readonly KeptData[], unseen: readonly string[] = []) {
  return makeDesk({
    "/api/v1/status": () => gives(status),
    "/api/v1/data": () => gives({ data, unseen }),
    "/api/v1/services/dev/db/destroy": () => gives({ volumes: ["fed_db"] }),
    "/api/v1/services/dev/old/destroy": ({ body }) =>
      (body as { readonly data: boolean }).data
        ? gives({ volumes: ["fed_old"] })
        : refuses("conflict", "dev/old keeps data in fed_old"),
  });
}

const all = [kept("db", "fed_db", true), kept("db", "fed_more", false), kept("old", "fed_old", false)];

test("status names data that the lab no longer has, with the word that removes it", async () => {
  const { out } = await (await makeHub(all)).fed("status");
  expect(out.split("\n").slice(-4)).toEqual([
    "Data that the lab no longer names is kept:",
    "dev/db: fed_more on nas. To remove it for good: fed destroy dev/db --unused",
    "dev/old: fed_old on nas. To remove it for good: fed destroy dev/old --with-data",
    "",
  ]);
  expect((await (await makeHub(all.slice(0, 1))).fed("status")).out).not.toContain("no longer");
});

test("destroy asks before it does anything, and is refused without a word of the data", async () => {
  const desk = await makeHub(all);
  expect(await desk.fed("destroy", "db", "--with-data")).toMatchObject({
    ...{ code: 2, err: expect.stringContaining("nobody to ask") },
  });
  expect(await desk.fed("destroy", "db", "--with-data", "--unused", "--yes")).toMatchObject({ code: 2 });
  expect(desk.hub.asked.filter(({ path }) => path.endsWith("/destroy"))).toEqual([]);
  // Nobody is asked for what is refused in any case.
  expect(await desk.fed("destroy", "old")).toMatchObject({ code: 5, err: expect.stringContaining("keeps data") });
});

test("destroy does not say that there is nothing while a machine cannot be asked", async () => {
  const desk = await makeHub(all, ["nas2"]);
  expect(await desk.fed("destroy", "gone", "--with-data", "--yes")).toMatchObject({
    ...{ code: 7, err: expect.stringContaining("ocean has no service gone, and nas2 cannot be asked for data of one") },
  });
  expect(await (await makeHub(all)).fed("destroy", "gone", "--with-data", "--yes")).toMatchObject({ code: 4 });
});

test("destroy finds what the lab has no more by its data", async () => {
  const desk = await makeHub(all);
  expect(await desk.fed("destroy", "old", "--with-data", "--yes")).toMatchObject({
    ...{ code: 0, out: "dev/old has ended, and fed_old is gone\n" },
  });
  expect(await desk.fed("destroy", "older", "--with-data", "--yes")).toMatchObject({ code: 4 });
  const two = await makeHub([...all, kept("old", "fed_old", false, "prod")]);
  expect(await two.fed("destroy", "old", "--with-data", "--yes")).toMatchObject({
    ...{ code: 2, err: expect.stringContaining("Say which: dev/old, prod/old.") },
  });
  expect(await two.fed("destroy", "old", "--env", "dev", "--with-data", "--yes", "--json")).toMatchObject({
    ...{ code: 0, out: expect.stringContaining('"volumes"') },
  });
});

test("destroy of unused data says so where there is none", async () => {
  const desk = await makeHub(all.slice(0, 1));
  expect(await desk.fed("destroy", "db", "--unused")).toMatchObject({
    ...{ code: 0, out: "dev/db has no data but what the lab names\n" },
  });
});
