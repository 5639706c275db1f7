/** Port shell on hosts of their own: one of busybox and dropbear, whose channels lead no session, and one of OpenSSH. */
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import type { Shell } from "../../packages/fed/src/port/shell.ts";
import { type Ground, openGround, withoutHosts } from "./fleet/ground.ts";
import type { Host } from "./fleet/host.ts";

const going = () => new AbortController().signal;
const patient = { timeoutMs: 20_000 };

function openShell({ key }: Ground, { name, address }: Host): Shell {
  const shell = openSshShell(name, {
    ...{ clock: systemClock, trace: silentTrace },
    login: async () => ({
      ...{ machine: name, host: address, port: 22, user: "root" },
      keys: [{ from: key, text: readFileSync(key, "utf8") }],
    }),
    checkHostKey: () => ({ kind: "trusted" }),
  });
  onTestFinished(() => shell.close());
  return shell;
}

describe.skipIf(withoutHosts !== "")(`on a host of its own${withoutHosts}`, () => {
  test.each(["busybox", "debian"] as const)(
    "%s: commands, streams, their ends, and a disk that is full",
    async (kind) => {
      const ground = await openGround([kind]);
      const [host] = ground.hosts;
      if (host === undefined) throw new Error("there is a host");
      const shell = openShell(ground, host);
      const run = (script: string, timeoutMs = 20_000) =>
        shell.run({ argv: ["sh", "-c", script] }, { ...patient, timeoutMs }, going());
      expect(await run("echo a; echo b >&2; exit 3")).toMatchObject({ code: 3, stdout: "a\n", stderr: "b\n" });
      expect(await shell.run({ argv: ["no-such"] }, patient, going())).toMatchObject({ code: 127 });
      expect(await shell.run({ argv: ["cat"] }, { ...patient, input: "in" }, going())).toMatchObject({ stdout: "in" });
      const quiet = host.processes().length;

      expect(await run('trap "" TERM; sleep 1000 & while :; do sleep 1000; done', 300)).toMatchObject({
        kind: "timeout",
      });
      const stream = await shell.stream({ argv: ["sh", "-c", "sleep 1000 & cat; echo end"] }, going());
      stream.io.write("through");
      await new Promise((resolve) => stream.io.once("data", resolve));
      await stream.kill();
      expect(await stream.ended).toEqual({ kind: "killed", signal: "SIGTERM" });
      await vi.waitFor(() => expect(host.processes().length).toBeLessThanOrEqual(quiet + 1), { timeout: 5_000 });

      await shell.upload({ path: "/srv/file", bytes: Buffer.from("old"), mode: 0o640 }, going());
      host.fillDisk();
      const big = shell.upload({ path: "/srv/file", bytes: Buffer.alloc(2_000_000), mode: 0o600 }, going());
      await expect(big).rejects.toMatchObject({ code: "unreachable", details: { disk: "full" } });
      expect((await run("cat /srv/file; ls -A /srv | grep fed; stat -c %a /srv/file")).stdout).toBe("old640\n");

      const io = await shell.forward({ kind: "tcp", host: "127.0.0.1", port: 22 }, going());
      io.once("data", () => io.destroy());
      expect(await text(io).catch(() => "SSH-")).toContain("SSH-");
    },
  );
});
