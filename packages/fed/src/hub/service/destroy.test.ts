import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineLab, image, type LabDocument, process, server } from "@fed/lab";
import { expect, onTestFinished, test, vi } from "vitest";
import { handClock } from "#base/hand-clock.ts";
import { silentTrace } from "#base/trace.ts";
import { openTestControl } from "#hub/db/control.fake.ts";
import { openEventLog } from "#hub/event/verbs.ts";
import type { Instance } from "#port/runtime.ts";
import { findData } from "./data.ts";
import { type DestroyWish, destroyService } from "./destroy.ts";
import { resolveLab } from "./resolve.ts";
import { asWanted } from "./site.scene.ts";

const origin = { actor: "user:ada", correlation: "cor_1" };
const { signal: going } = new AbortController();

interface Volume {
  readonly environment: string;
  readonly service: string;
  readonly name: string;
  readonly machine: string;
}

const volume = (service: string, name: string, machine = "hub"): Volume => ({
  ...{ environment: "dev", service, name: `fed_ocean_dev_${service}_${name}`, machine },
});

async function makeStage(service: object, volumes: readonly Volume[] = []) {
  const dataFolder = await mkdtemp(join(tmpdir(), "fed-destroy-"));
  onTestFinished(() => rm(dataFolder, { recursive: true, force: true }));
  const clock = handClock();
  const control = openTestControl();
  onTestFinished(() => control[Symbol.dispose]());
  const { db } = control;
  const events = openEventLog({ db, clock, trace: silentTrace });
  const told: unknown[] = [];
  events.listen(({ type, data }) => void told.push({ type, data }));
  const document = defineLab({
    ...{ name: "ocean", machines: { hub: server({ address: "local" }) }, environments: { dev: { machines: ["hub"] } } },
    services: { db: service },
  } as never) as LabDocument;
  const services = resolveLab(document, {
    ...{ folder: "/", doorOf: () => undefined, secretVersion: () => 0, absolute: (_, path) => path },
  }).map(asWanted);
  const instance = { id: "ins_1", labels: { environment: "dev", service: "db" } } as Instance;
  const instances: Instance[] = [instance];
  const starting = new Set<string>();
  const done: string[] = [];
  const unseen = new Map<string, string>();
  const needs = {
    ...{ clock, events, dataFolder, world: { instances, isStarting: (key: string) => starting.has(key) } },
    sites: {
      volumes: async () => ({ volumes: volumes.filter(({ machine }) => !unseen.has(machine)), unseen }),
      removeVolume: async (machine: string, name: string) => void done.push(`${machine} ${name}`),
    },
    byHand: { stop: (key: string) => void done.push(`stop ${key}`) },
  };
  const destroy = (data: DestroyWish["data"], name = "db", signal = going) =>
    destroyService(needs, services, { environment: "dev", service: name, data }, origin, signal);
  const find = () => findData(needs, services, going);
  return { destroy, find, done, clock, dataFolder, told, unseen, starting, end: () => instances.splice(0) };
}

const database = {
  run: image("postgres:17"),
  volumes: { data: { at: "/data" }, photos: { at: "/p", host: "/srv/p" } },
};

test("what is just being started is waited for: it would make the volumes again", async () => {
  const { destroy, done, clock, end, starting } = await makeStage(database, [volume("db", "data")]);
  end();
  starting.add("dev/db");
  const destroyed = destroy("all");
  await vi.waitFor(() => expect(done).toEqual(["stop dev/db"]));
  await clock.turn(1_000);
  expect(done).toEqual(["stop dev/db"]);
  starting.clear();
  await clock.turn(1_000);
  await destroyed;
  expect(done).toEqual(["stop dev/db", "hub fed_ocean_dev_db_data"]);
});

test("a container's volumes go once it has ended, and only with a second word", async () => {
  const { destroy, done, clock, end, told } = await makeStage(database, [volume("db", "data"), volume("api", "data")]);
  await expect(destroy("none")).rejects.toMatchObject({ code: "conflict" });
  expect(done).toEqual([]);
  const destroyed = destroy("all");
  await vi.waitFor(() => expect(done).toEqual(["stop dev/db"]));
  await clock.turn(1_000);
  expect(done).toEqual(["stop dev/db"]);
  end();
  await clock.turn(100);
  expect(await destroyed).toEqual(["fed_ocean_dev_db_data"]);
  expect(done).toEqual(["stop dev/db", "hub fed_ocean_dev_db_data"]);
  expect(told).toEqual([{ type: "service.destroyed", data: { volumes: ["fed_ocean_dev_db_data"] } }]);
});

test("a service that has no data needs one word", async () => {
  const { destroy, done, end } = await makeStage(database);
  end();
  expect(await destroy("none")).toEqual([]);
  expect(done).toEqual(["stop dev/db"]);
});

test("a process loses the folders that fed keeps for it, and nobody else's", async () => {
  const { destroy, end, dataFolder } = await makeStage({
    run: process("db"),
    volumes: { data: {}, own: { host: "/srv" } },
  });
  for (const name of ["db", "api"]) {
    await mkdir(join(dataFolder, "volumes/dev", name, "data"), { recursive: true });
    await writeFile(join(dataFolder, "volumes/dev", name, "data/file"), "x");
  }
  end();
  expect(await destroy("all")).toEqual(["data"]);
  expect(await readdir(join(dataFolder, "volumes/dev/db"))).toEqual([]);
  expect(await readdir(join(dataFolder, "volumes/dev/api/data"))).toEqual(["file"]);
});

test("what the lab no longer has is found, and goes alone when that is said", async () => {
  const { destroy, find, done, dataFolder, end } = await makeStage(database, [
    ...[volume("db", "data"), volume("db", "cache"), volume("db", "data", "nas"), volume("old", "data", "nas")],
  ]);
  await mkdir(join(dataFolder, "volumes/dev/older/notes"), { recursive: true });
  const { data } = await find();
  expect(data.map(({ service, name, machine, used }) => `${service} ${name} ${machine} ${used}`)).toEqual([
    "db fed_ocean_dev_db_cache hub false",
    "db fed_ocean_dev_db_data hub true",
    "db fed_ocean_dev_db_data nas false",
    "old fed_ocean_dev_old_data nas false",
    "older notes undefined false",
  ]);
  expect(await destroy("unused")).toEqual(["fed_ocean_dev_db_cache", "fed_ocean_dev_db_data"]);
  expect(done).toEqual(["hub fed_ocean_dev_db_cache", "nas fed_ocean_dev_db_data"]);
  end();
  await expect(destroy("none", "old")).rejects.toMatchObject({ code: "conflict" });
  expect(await destroy("all", "old")).toEqual(["fed_ocean_dev_old_data"]);
  expect(await destroy("all", "older")).toEqual(["notes"]);
  await expect(destroy("all", "never")).rejects.toMatchObject({ code: "missing" });
});

test("nothing is done to a service whose machine cannot be asked", async () => {
  const { destroy, done, unseen } = await makeStage(database, [volume("db", "data")]);
  unseen.set("hub", "the cable is cut");
  await expect(destroy("all")).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("cable"),
  });
  expect(done).toEqual([]);
});

test("who gives up waiting leaves it stopped, with its data", async () => {
  const { destroy, done, end, clock } = await makeStage(database, [volume("db", "data")]);
  const controller = new AbortController();
  const destroyed = destroy("all", "db", controller.signal);
  destroyed.catch(() => undefined);
  await vi.waitFor(() => expect(done).toEqual(["stop dev/db"]));
  controller.abort("enough");
  await expect(destroyed).rejects.toBe("enough");
  end();
  await clock.turn(1_000);
  expect(done).toEqual(["stop dev/db"]);
});

test("what does not end keeps its data", async () => {
  const { destroy, clock, done } = await makeStage(database, [volume("db", "data")]);
  const outcome = destroy("all").then(
    () => "gone",
    (thrown: Error) => thrown.message,
  );
  await vi.waitFor(() => expect(done).toEqual(["stop dev/db"]));
  for (let at = 0; at < 900; at++) await clock.turn(100);
  expect(await outcome).toBe("dev/db still runs; its data was not touched");
  expect(done).toEqual(["stop dev/db"]);
});
