import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chromiumPath, openBrowser, seriousFaults } from "./browser.ts";
import { npm } from "./npm.ts";
import { environments, hosts, makeSlice, openPerson, readOnAndOn, ready, rolledOut, upWithPasswords } from "./slice.ts";
import { leftBehind, until, up } from "./stage.ts";
import { withoutPostgresql } from "./stand-in.ts";
import { patience } from "./visitor.ts";

/** The example `slice` as processes: a page, an API with login, a real PostgreSQL whose data survives. */

const missing = withoutPostgresql();

const everybody = (port: number) =>
  Object.fromEntries(environments.map((name) => [name, openPerson(port, hosts[name])])) as Record<
    (typeof environments)[number],
    ReturnType<typeof openPerson>
  >;

test.skipIf(missing !== "")(
  `two environments keep apart what people write; it survives a release, a rollback, a new database and a killed hub${missing}`,
  async () => {
    const stage = await makeSlice("lab-process.ts");
    for (const part of ["api", "web"]) npm(join(stage.folder, part), "ci", "--prefer-offline");
    npm(join(stage.folder, "web"), "run", "build");
    const password = randomBytes(18).toString("base64url");
    const first = await upWithPasswords(stage, password, 60_000);

    const { dev, prod } = everybody(first.ingress);
    expect(await dev.signUp("ada", "first of all programs")).toMatchObject({ status: 200, body: { name: "ada" } });
    expect(await prod.signIn("ada", "first of all programs")).toMatchObject({ status: 401 });
    expect(await prod.notes()).toBe('401 {"error":"Sign in first."}');
    const entered = await prod.signUp("grace", "found the first bug");
    expect(entered.cookie).toMatch(/^slice_session=\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
    await dev.keep("an engine");
    for (const note of ["a moth", "a compiler"]) expect((await prod.keep(note)).status).toBe(200);
    const notes = ["a compiler", "a moth"];
    const foreign = await prod.send("POST", "/api/notes", { text: "evil" }, { "sec-fetch-site": "cross-site" });
    expect(foreign.status).toBe(403);
    const old = await prod.send("POST", "/api/notes", { text: "evil" }, { origin: "http://evil.example" });
    expect(old.status).toBe(403);
    if (chromiumPath !== undefined) await useThePage(first.ingress);

    // A release that nobody notices, and back.
    const stop = readOnAndOn(prod, notes);
    await stage.edit((lab) => lab.replace('default: "Notes"', 'default: "Notes, second edition"'));
    await until("the title", async () => ((await prod.title()) === "Notes, second edition" ? true : undefined), 60_000);
    await rolledOut(stage, "prod/api", 2);
    expect(await stage.fed("rollback", "prod/api", "--wait")).toMatchObject({ code: 0 });
    expect(await prod.title()).toBe("Notes");
    const { count, bad } = await stop();
    expect(bad).toEqual([]);
    expect(count).toBeGreaterThan(20);

    // The database itself: one after the other on one volume.
    await stage.edit((lab) => lab.replace('POSTGRES_USER: "slice"', 'POSTGRES_USER: "slice", TZ: "UTC"'));
    await rolledOut(stage, "prod/db", 2);
    await until("the notes", async () =>
      JSON.stringify(await prod.notes()) === JSON.stringify(notes) ? true : undefined,
    );
    expect((await stage.fed("logs", "prod/db", "--gone")).out).toContain("database system is shut down");

    first.child.kill("SIGKILL");
    await first.ending;
    const second = await up(stage);
    await ready(stage, 60_000);
    const again = openPerson(second.ingress, hosts.prod);
    await again.signIn("grace", "found the first bug");
    expect(await again.notes()).toEqual(notes);
    expect(await again.title()).toBe("Notes");
    const told = await Promise.all(["api", "db"].map((name) => stage.fed("logs", `prod/${name}`)));
    for (const { out } of told) expect(out).not.toContain(password);
    expect(told[0]?.out).toContain("api listens on");
    expect(readFileSync(stage.lab, "utf8")).not.toContain(password);
    expect(await stage.fed("down")).toMatchObject({ code: 0 });
    await second.ending;
    expect(await leftBehind(stage.data)).toEqual([]);
  },
  180_000,
);

/** The page in a real browser: somebody comes, writes, goes and comes back. */
async function useThePage(port: number): Promise<void> {
  const browser = await openBrowser();
  const { page, complaints } = await browser.person();
  await page.goto(`http://${hosts.prod}:${port}/`);
  await page.getByRole("heading", { name: "Notes", exact: true }).waitFor(patience);
  await page.getByRole("button", { name: "I am new here" }).click();
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByLabel("Name").fill("margaret");
  await page.getByLabel("Password").fill("to the moon and back");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("Nothing is written down yet.").waitFor(patience);
  await page.getByLabel("New note").fill("<b>1202</b> alarm");
  await page.getByRole("button", { name: "Keep" }).click();
  await page.getByText("<b>1202</b> alarm").waitFor(patience);
  await page.reload();
  await page.getByText("<b>1202</b> alarm").waitFor(patience);
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Name").fill("margaret");
  await page.getByLabel("Password").fill("something else");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("The name or the password is wrong.").waitFor(patience);
  expect(complaints).toEqual([]);
}
