import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openBuildContext } from "./context.ts";

const going = () => new AbortController().signal;

function makeFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "fed-context-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function pack(folder: string, dockerfile?: string, signal = going()): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await openBuildContext(folder, dockerfile)).tar(signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What tar says is in it. */
async function list(folder: string, dockerfile?: string): Promise<readonly string[]> {
  const { status, stdout } = spawnSync("tar", ["-t"], { input: await pack(folder, dockerfile), encoding: "utf8" });
  expect(status).toBe(0);
  return stdout.trimEnd().split("\n");
}

it("holds the folder in order, links as links, owned by root", async () => {
  const folder = makeFolder({ Dockerfile: "FROM scratch", "b/x": "x", "a.txt": "a", "b.txt": "" });
  symlinkSync("../nowhere", join(folder, "b/link"));
  const { stdout } = spawnSync("tar", ["-tv", "--numeric-owner"], { input: await pack(folder), encoding: "utf8" });
  const shown = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/\d{4}-\S+ \S+ /, ""));
  expect(shown.map((line) => line.replace(/ +/g, " "))).toEqual([
    "-rw-r--r-- 0/0 12 Dockerfile",
    "-rw-r--r-- 0/0 1 a.txt",
    "drwxr-xr-x 0/0 0 b/",
    "lrwxrwxrwx 0/0 0 b/link -> ../nowhere",
    "-rw-r--r-- 0/0 1 b/x",
    "-rw-r--r-- 0/0 0 b.txt",
  ]);
  expect(await pack(folder)).toEqual(await pack(folder));
});

it("leaves out what .dockerignore names, but never the Dockerfile", async () => {
  const folder = makeFolder({
    ".dockerignore": "**\n!src\nsrc/*.test.ts\n!docs/keep/a.md\n",
    "deploy/Dockerfile": "",
    "deploy/notes": "",
    "src/a.ts": "",
    "src/a.test.ts": "",
    "docs/keep/a.md": "",
    "docs/keep/b.md": "",
    "node_modules/x/y": "",
  });
  expect(await list(folder, "deploy/Dockerfile")).toEqual([
    "deploy/",
    "deploy/Dockerfile",
    "docs/",
    "docs/keep/",
    "docs/keep/a.md",
    "src/",
    "src/a.ts",
  ]);
});

it("does not even look into what is left out whole", async () => {
  const folder = makeFolder({ ".dockerignore": "secret\n", Dockerfile: "" });
  // A link in place of the folder that a look into it would have followed, and a socket that nobody could send.
  mkdirSync(join(folder, "secret"));
  const server = createServer().listen(join(folder, "socket"));
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  expect(await list(folder)).toEqual([".dockerignore", "Dockerfile"]);
});

it("obeys the Dockerfile's own list instead of the folder's", async () => {
  const folder = makeFolder({
    ".dockerignore": "a\n",
    "web.Dockerfile.dockerignore": "b\n",
    "web.Dockerfile": "",
    a: "",
    b: "",
  });
  expect(await list(folder, "web.Dockerfile")).toEqual(["a", "web.Dockerfile", "web.Dockerfile.dockerignore"]);
});

it("names what is not there or cannot be", async () => {
  const folder = makeFolder({ Dockerfile: "", "sub/x": "", ".dockerignore": "ok\n[\n" });
  const absent = join(folder, "absent");
  await expect(openBuildContext(absent)).rejects.toMatchObject({
    code: "missing",
    message: expect.stringContaining(absent),
  });
  await expect(openBuildContext(join(folder, "Dockerfile"))).rejects.toMatchObject({ code: "missing" });
  await expect(openBuildContext(join(folder, "sub"))).rejects.toMatchObject({ code: "missing" });
  await expect(openBuildContext(folder, "sub")).rejects.toMatchObject({ code: "missing" });
  for (const path of ["../Dockerfile", "sub/../../x", "/etc/passwd"])
    await expect(openBuildContext(folder, path)).rejects.toMatchObject({ code: "invalid" });
  await expect(openBuildContext(folder)).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining(".dockerignore:2"),
  });
});

it("tells of a file that changes while it is read", async () => {
  const folder = makeFolder({ Dockerfile: "", big: "x".repeat(2_000_000) });
  const context = await openBuildContext(folder);
  const read = async () => {
    let sizeBytes = 0;
    for await (const chunk of context.tar(going())) {
      sizeBytes += chunk.length;
      if (sizeBytes > 300_000) truncateSync(join(folder, "big"), 10);
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("big") });
});

it("ends when it is given up", async () => {
  const folder = makeFolder({ Dockerfile: "", big: "x".repeat(2_000_000) });
  await expect(pack(folder, undefined, AbortSignal.abort("enough"))).rejects.toBe("enough");
});
