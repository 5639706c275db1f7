import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { makeLinuxCollector } from "#adapter/linux/index.ts";
import { makeAgentKit } from "./index.ts";

/** What joining calls, in the place of the real ones: a hub that takes it in, a crontab in a file, and nothing that goes on. */
const tools = {
  id: "echo 1000",
  curl: `case "$*" in *agent.sh*) echo : > agent.sh ;; *) echo fedm_abc ;; esac`,
  crontab: `case $1 in -l) cat "$HOME/../crontab" 2> /dev/null ;; *) cat > "$HOME/../crontab" ;; esac`,
  setsid: ": > joined",
};

/** A machine on which `line` is a person's, whose home is a link to where it is. */
async function makeMachine() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "fed-join-")));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [bin, home, real] = ["bin", "home", "disk"].map((name) => join(root, name)) as [string, string, string];
  for (const folder of [bin, real]) await mkdir(folder);
  await symlink(real, home);
  for (const [name, text] of Object.entries(tools)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  const script = makeAgentKit(makeLinuxCollector()).join({ machine: "node5", url: "http://hub", token: "t" });
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: home };
  const run = (more: Readonly<Record<string, string>> = {}) =>
    new Promise<{ readonly code: number; readonly said: string }>((resolve) => {
      const child = execFile("/bin/sh", { env: { ...env, ...more }, cwd: root }, (error, _out, said) =>
        resolve({ code: Number(error?.code ?? 0), said }),
      );
      child.stdin?.end(script);
    });
  return { root, home, real, run };
}

test("a machine whose home is a link is entered under the name by which it is taken out", async () => {
  const { root, real, run } = await makeMachine();
  expect(await run()).toMatchObject({ code: 0, said: expect.stringContaining("node5 reports to http://hub") });
  expect(await readFile(join(root, "crontab"), "utf8")).toBe(`@reboot /bin/sh '${real}/.fed-agent/run.sh'\n`);
  // Joined anew it stands there once.
  expect(await run()).toMatchObject({ code: 0 });
  expect(await readFile(join(root, "crontab"), "utf8")).toBe(`@reboot /bin/sh '${real}/.fed-agent/run.sh'\n`);
});

test("a folder with something else in it is left alone, as leaving would remove it", async () => {
  const { root, run } = await makeMachine();
  const photos = join(root, "photos");
  await mkdir(photos, { mode: 0o755 });
  await writeFile(join(photos, "credential"), "the only copy");
  const { code, said } = await run({ FED_AGENT_DIR: photos });
  expect([code, said]).toEqual([1, expect.stringContaining(`something in the folder ${photos} that is not fed's`)]);
  expect(await readFile(join(photos, "credential"), "utf8")).toBe("the only copy");
  expect((await stat(photos)).mode & 0o777).toBe(0o755);
});

test("a folder that is no whole path is refused before the token is used up", async () => {
  const { run } = await makeMachine();
  expect(await run({ FED_AGENT_DIR: "agent" })).toMatchObject({
    ...{ code: 1, said: expect.stringContaining("begins with /") },
  });
});
