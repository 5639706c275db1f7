import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Env } from "./env.ts";
import { ensureWeb } from "./web-build.ts";

/** In the place of vite: says how often it ran, and makes one page. */
const builder = `
  import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
  const out = process.argv[process.argv.indexOf("--outDir") + 1];
  const page = readFileSync("page.html", "utf8");
  appendFileSync("../../runs", "run\\n");
  mkdirSync(out);
  writeFileSync(out + "/half", "");
  if (page === "broken") { console.error("page.html is broken"); process.exit(1); }
  if (page === "endless") setInterval(() => {}, 1000);
  else writeFileSync(out + "/index.html", page);
`;

async function makeInstallation() {
  const installation = await mkdtemp(join(tmpdir(), "fed-web-"));
  onTestFinished(() => rm(installation, { recursive: true, force: true }));
  for (const folder of ["packages/web", "packages/fed/src/wire", "packages/fed/src/base", "node_modules/vite/bin"]) {
    await mkdir(join(installation, folder), { recursive: true });
  }
  await writeFile(join(installation, "node_modules/vite/package.json"), '{ "type": "module" }');
  await writeFile(join(installation, "node_modules/vite/bin/vite.js"), builder);
  const env = { installation, inherited: { PATH: process.env.PATH ?? "" } } as unknown as Env;
  return {
    said: [] as string[],
    folder: join(installation, ".cache/web"),
    writePage: (text: string) => writeFile(join(installation, "packages/web/page.html"), text),
    writeFile: (path: string, text: string) => writeFile(join(installation, path), text),
    touch: (path: string) => utimes(join(installation, path), 1, 1),
    runs: async () => (await readFile(join(installation, "runs"), "utf8").catch(() => "")).split("\n").length - 1,
    ensure(this: { said: string[] }, signal = new AbortController().signal) {
      return ensureWeb(env, (text) => this.said.push(text), signal);
    },
  };
}

test("the pages are built once, and again when a source has changed", async () => {
  const copy = await makeInstallation();
  await copy.writePage("one");
  const built = await copy.ensure();
  expect(await readFile(join(built, "index.html"), "utf8")).toBe("one");
  expect(copy.said).toEqual(["building the pages (once) …"]);
  expect(await copy.ensure()).toBe(built);
  expect(await copy.runs()).toBe(1);
  await copy.writePage("another");
  const next = await copy.ensure();
  expect(next).not.toBe(built);
  expect(await readFile(join(next, "index.html"), "utf8")).toBe("another");
});

test("a test of the pages is no source of them; the time stamp of a source counts", async () => {
  const copy = await makeInstallation();
  await copy.writePage("one");
  const built = await copy.ensure();
  await copy.writeFile("packages/web/page.test.ts", "expect(1)");
  expect(await copy.ensure()).toBe(built);
  await copy.touch("packages/web/page.html");
  expect(await copy.ensure()).not.toBe(built);
});

test("two starts at once build once", async () => {
  const copy = await makeInstallation();
  await copy.writePage("one");
  const [a, b] = await Promise.all([copy.ensure(), copy.ensure()]);
  expect(a).toBe(b);
  expect(await copy.runs()).toBe(1);
});

test("a build that fails says what the builder said and leaves nothing that looks finished", async () => {
  const copy = await makeInstallation();
  await copy.writePage("broken");
  await expect(copy.ensure()).rejects.toMatchObject({
    code: "internal",
    message: "the pages could not be built",
    hint: "page.html is broken",
  });
  expect((await readdir(copy.folder)).filter((name) => name !== "lock")).toEqual([]);
  await copy.writePage("mended");
  await expect(copy.ensure()).resolves.toBeTypeOf("string");
});

test("Ctrl-C ends the builder and cleans up", async () => {
  const copy = await makeInstallation();
  await copy.writePage("endless");
  const controller = new AbortController();
  const ensuring = copy.ensure(controller.signal);
  const ended = expect(ensuring).rejects.toThrow("enough");
  await expect.poll(() => copy.runs(), { timeout: 20_000 }).toBe(1);
  controller.abort(new Error("enough"));
  await ended;
  expect((await readdir(copy.folder)).filter((name) => name !== "lock")).toEqual([]);
});

test("what a killed build has left is swept away, and only the newest builds are kept", async () => {
  const copy = await makeInstallation();
  await mkdir(join(copy.folder, "tmp-1"), { recursive: true });
  for (const page of ["1", "22", "333", "4444", "55555"]) {
    await copy.writePage(page);
    await copy.ensure();
  }
  const kept = (await readdir(copy.folder)).filter((name) => name !== "lock");
  expect(kept).toHaveLength(3);
  const pages = await Promise.all(kept.map((name) => readFile(join(copy.folder, name, "index.html"), "utf8")));
  expect(pages).toContain("55555");
});
