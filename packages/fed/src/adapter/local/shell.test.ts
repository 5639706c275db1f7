import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "#base/clock.ts";
import { realShellSuite, type ShellScene, shellSuite } from "#port/shell.suite.ts";
import { openLocalShell } from "./shell.ts";

const make = async (): Promise<ShellScene> => {
  const folder = mkdtempSync(join(tmpdir(), "fed-shell-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: folder };
  return {
    ...{ shell: openLocalShell({ clock: systemClock, environment }), folder },
    read: (path) => ({ bytes: readFileSync(path), mode: statSync(path).mode & 0o777 }),
    async listen() {
      const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(join(folder, "s"));
      await once(server, "listening");
      onTestFinished(() => void server.close());
      return join(folder, "s");
    },
  };
};

shellSuite("local", make);
realShellSuite("local", make);
