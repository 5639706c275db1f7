import { execFileSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Engine, startEngine, withoutEngine } from "../../packages/fed/src/port/engine.scene.ts";
import { hosts, makeSlice, openPerson, readOnAndOn, ready, rolledOut, upWithPasswords } from "./slice.ts";
import { until } from "./stage.ts";
import { makeNodeImage, makePostgresImage, postgresqlFolder, withoutPostgresql } from "./stand-in.ts";

/** The example `slice` in containers of a real Docker: its images are built, promoted, rolled back; its data stays. */

const without = withoutEngine("docker") || withoutPostgresql();

const bridge = `fed${randomInt(1e9)}`;

describe.skipIf(without !== "")(`the slice in containers${without}`, () => {
  let engine: Engine;
  beforeAll(async () => {
    // A command of a build wants a network; one of its own, so that no rule of this machine changes.
    execFileSync("ip", ["link", "add", bridge, "type", "bridge"]);
    execFileSync("ip", ["address", "add", `10.253.${randomInt(80, 250)}.1/28`, "dev", bridge]);
    engine = await startEngine("docker", { words: ["--bridge", bridge] });
    makePostgresImage(engine, postgresqlFolder() ?? "");
  }, 120_000);
  afterAll(async () => {
    await engine?.close();
    execFileSync("ip", ["link", "delete", bridge]);
  }, 120_000);

  const imagesOf = (environment: string, service: string): readonly string[] => {
    const filters = [`label=fed.environment=${environment}`, `label=fed.service=${service}`];
    const ids = engine.run("ps", "-q", ...filters.flatMap((filter) => ["--filter", filter])).split("\n");
    return ids.filter(Boolean).map((id) => engine.run("inspect", "-f", "{{.Image}}", id));
  };

  test("its data survives a release, a rollback, a new database and a restart of the engine", async () => {
    const stage = await makeSlice("lab.ts");
    makeNodeImage(engine, [join(stage.folder, "api"), join(stage.folder, "web")]);
    const word = `engine: docker({ socket: "${engine.socket}" })`;
    await stage.edit((lab) =>
      lab
        .replace('address: "local"', `address: "local", ${word}`)
        .replace("import { build,", "import { build, docker,"),
    );
    const password = randomBytes(18).toString("base64url");
    const hub = await upWithPasswords(stage, password, 240_000);
    const dev = openPerson(hub.ingress, hosts.dev);
    const prod = openPerson(hub.ingress, hosts.prod);
    expect(await dev.signUp("ada", "first of all programs")).toMatchObject({ status: 200 });
    expect(await prod.signIn("ada", "first of all programs")).toMatchObject({ status: 401 });
    expect(await prod.signUp("grace", "found the first bug")).toMatchObject({ status: 200 });
    for (const note of ["a moth", "a compiler"]) expect((await prod.keep(note)).status).toBe(200);
    const notes = ["a compiler", "a moth"];
    expect((await prod.send("GET", "/")).body).toContain('<div id="root">');

    // A new API is built and tried in dev; prod gets that very image, and goes back.
    const [before] = imagesOf("prod", "api");
    const stop = readOnAndOn(prod, notes);
    const source = join(stage.folder, "api/src/api.ts");
    const text = await readFile(source, "utf8");
    await writeFile(source, text.replace("title: settings.title", "title: `$" + "{settings.title}, second edition`"));
    expect(await stage.fed("deploy", "dev/api", "--wait")).toMatchObject({ code: 0 });
    expect(await dev.title()).toBe("Notes (dev), second edition");
    expect(await prod.title()).toBe("Notes");
    expect(await stage.fed("deploy", "prod/api", "--wait")).toMatchObject({ code: 0 });
    expect(await prod.title()).toBe("Notes, second edition");
    const [tried] = imagesOf("dev", "api");
    expect(tried).not.toBe(before);
    expect(imagesOf("prod", "api")).toEqual([tried, tried]);
    expect(await stage.fed("rollback", "prod/api", "--wait")).toMatchObject({ code: 0 });
    expect(await prod.title()).toBe("Notes");
    expect(imagesOf("prod", "api")).toEqual([before, before]);
    const { count, bad } = await stop();
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(20);

    // The database itself: one after the other on one volume.
    const same = async () => (JSON.stringify(await prod.notes()) === JSON.stringify(notes) ? true : undefined);
    await stage.edit((lab) => lab.replace('POSTGRES_USER: "slice"', 'POSTGRES_USER: "slice", TZ: "UTC"'));
    await rolledOut(stage, "prod/db", 2);
    await until("the notes of the new database", same, 60_000);
    expect((await stage.fed("logs", "prod/db", "--gone")).out).toContain("database system is shut down");

    await engine.restart();
    await until("the notes after the engine's restart", same, 120_000);
    await ready(stage, 120_000);
    expect(await prod.title()).toBe("Notes");
    expect((await prod.keep("an engine")).status).toBe(200);

    for (const name of ["api", "db"]) expect((await stage.fed("logs", `prod/${name}`)).out).not.toContain(password);
    expect(await stage.fed("down")).toMatchObject({ code: 0 });
    await hub.ending;
    expect(engine.run("ps", "-aq")).toBe("");
    expect(engine.run("volume", "ls", "-q").split("\n")).toEqual(["fed_slice_dev_db_data", "fed_slice_prod_db_data"]);
  }, 480_000);
});
