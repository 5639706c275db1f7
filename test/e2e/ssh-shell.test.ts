import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, onTestFinished } from "vitest";
import { openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { realShellSuite, type ShellScene, shellSuite } from "../../packages/fed/src/port/shell.suite.ts";
import { startSshd, withoutSshd } from "./sshd.ts";

const scene = (config: string) => async (): Promise<ShellScene> => {
  const sshd = await startSshd({ config });
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
};

/** Shells that a machine may have in the place of `sh`, and login shells that are none. */
const machines: readonly (readonly [name: string, config: string])[] = [["", ""]];

describe.skipIf(withoutSshd !== "")(`by SSH${withoutSshd}`, () => {
  for (const [name, config] of machines) {
    shellSuite(`ssh${name}`, scene(config));
    realShellSuite(`ssh${name}`, scene(config));
  }
});
