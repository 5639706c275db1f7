import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import { openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { realShellSuite, type ShellScene, shellSuite } from "../../packages/fed/src/port/shell.suite.ts";
import { withoutSshd } from "./sshd.ts";
import { openSshd, type Sshd } from "./sshd-server.ts";

const kinds: readonly (readonly [name: string, make: (folder: string) => string])[] = [
  ["", () => ""],
  [", busybox as its sh", (folder) => shIn(folder, "/bin/busybox")],
  [", bash as its sh", (folder) => shIn(folder, "/bin/bash")],
  // A login shell that knows no POSIX: it reads what we ask for first.
  [", fish as its login shell", () => 'ForceCommand exec fish -c "$SSH_ORIGINAL_COMMAND"'],
];
const needed: Readonly<Record<string, string>> = {
  ", busybox as its sh": "/bin/busybox",
  ", bash as its sh": "/bin/bash",
  ", fish as its login shell": "/usr/bin/fish",
};

/** A line of sshd_config by which `sh` is this program. */
function shIn(folder: string, program: string): string {
  mkdirSync(join(folder, "bin"));
  symlinkSync(program, join(folder, "bin/sh"));
  return `SetEnv SHLVL=3 PATH=${folder}/bin:/usr/local/bin:/usr/bin:/bin`;
}

for (const [name, config] of kinds) {
  const program = needed[name];
  const lacks = program === undefined || existsSync(program) ? withoutSshd : ` [skipped: ${program} is not installed]`;
  describe.skipIf(lacks !== "")(`by SSH${name}${lacks}`, () => {
    let sshd: Sshd;
    let end = async () => {};
    let bin: string;
    beforeAll(async () => {
      bin = mkdtempSync(join(tmpdir(), "fed-bin-"));
      const opened = await openSshd({ config: config(bin) });
      sshd = opened.sshd;
      end = opened.end;
    });
    afterAll(async () => {
      await end();
      rmSync(bin, { recursive: true, force: true });
    });
    const make = () => makeScene(sshd);
    if (name === "") shellSuite("ssh", make);
    realShellSuite(`ssh${name}`, make);
  });
}

async function makeScene(sshd: Sshd): Promise<ShellScene> {
  const folder = mkdtempSync(join(tmpdir(), "fed-shell-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const shell = openSshShell("node5", {
    ...{ clock: systemClock, trace: silentTrace },
    login: async () => sshd.login(),
    checkHostKey: () => ({ kind: "trusted" }),
  });
  return {
    ...{ shell, folder },
    read: (path) => ({ bytes: readFileSync(path), mode: statSync(path).mode & 0o777 }),
    async listen() {
      const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(join(folder, "s"));
      await once(server, "listening");
      onTestFinished(() => void server.close());
      return join(folder, "s");
    },
  };
}
