import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fed é'\"$ launch-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What the launcher needs of a clone, without anything set up. */
async function makeClone(): Promise<string> {
  const folder = join(await makeFolder(), "clone");
  await mkdir(folder);
  for (const name of ["fed", "package.json", "package-lock.json", ".npmrc"])
    await cp(join(root, name), join(folder, name));
  for (const name of ["lab", "fed", "web"]) {
    await cp(join(root, "packages", name, "package.json"), join(folder, "packages", name, "package.json"));
  }
  return folder;
}

function run(command: string, cwd: string, env: Readonly<Record<string, string>> = {}) {
  const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const child = spawn(command, ["--version"], {
    cwd,
    env: { PATH: path, HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  return new Promise<{ code: number | null; out: string; err: string }>((done, fail) => {
    child.once("error", fail).once("close", (code) => done({ code, ...said }));
  });
}

const nobody = { npm_config_registry: "http://127.0.0.1:9", npm_config_cache: "/nonexistent-npm-cache" };

test("starts from any folder and through a chain of links", async () => {
  const folder = await makeFolder();
  await symlink(join(root, "fed"), join(folder, "one"));
  await symlink("one", join(folder, "two"));
  for (const command of [join(root, "fed"), join(folder, "two"), "./two"]) {
    expect(await run(command, folder)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^fed \d+\.\d+\.\d+ \(node v/),
    });
  }
});

test("once set up it needs no registry, and says nothing", async () => {
  const folder = await makeFolder();
  expect(await run(join(root, "fed"), folder, nobody)).toMatchObject({ code: 0, err: "" });
});

test("without a registry it says so and what to do, leaves nothing half-made, and two at once do the same", async () => {
  const clone = await makeClone();
  const cache = join(clone, "..", "cache");
  const both = await Promise.all([1, 2].map(() => run("./fed", clone, { ...nobody, npm_config_cache: cache })));
  for (const ending of both) {
    expect(ending.code).toBe(7);
    expect(ending.err).toMatch(/registry .* does not answer/);
    expect(ending.err).toMatch(/Check the network/);
  }
  expect(await readdir(clone)).not.toContain("node_modules");
  expect((await readdir(join(clone, ".node"))).filter((name) => name.startsWith("tmp-"))).toEqual([]);
});

test("it heeds what this machine's npm is told for everybody, such as a mirror", async () => {
  const clone = await makeClone();
  const mirror = createServer((_, answer) => void answer.writeHead(404).end());
  onTestFinished(() => void mirror.close());
  await once(mirror.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
  const prefix = join(clone, "..", "prefix");
  await mkdir(join(prefix, "etc"), { recursive: true });
  await writeFile(join(prefix, "etc/npmrc"), `registry=${url}\n`);
  const asked = once(mirror, "request");
  const ending = await run("./fed", clone, { PREFIX: prefix, npm_config_cache: join(clone, "..", "cache") });
  expect(ending).toMatchObject({ code: 1, err: expect.stringContaining(url) });
  await asked;
});

test("without npm it says so", async () => {
  const clone = await makeClone();
  const bin = join(clone, "bin");
  await mkdir(bin);
  for (const name of [
    "sh",
    "mkdir",
    "cp",
    "mv",
    "rm",
    "touch",
    "cmp",
    "flock",
    "sed",
    "head",
    "tail",
    "uname",
    "readlink",
  ]) {
    await symlink(`/usr/bin/${name}`, join(bin, name));
  }
  await symlink(process.execPath, join(bin, "node"));
  expect(await run("./fed", clone, { PATH: bin })).toMatchObject({
    code: 4,
    err: expect.stringContaining("npm is not installed"),
  });
});

test("the lockfile records no download addresses", async () => {
  const lockfile = await readFile(join(root, "package-lock.json"), "utf8");
  expect(lockfile).not.toMatch(/"resolved": "https?:/);
  expect(await readFile(join(root, ".npmrc"), "utf8")).toContain("omit-lockfile-registry-resolved=true");
});
