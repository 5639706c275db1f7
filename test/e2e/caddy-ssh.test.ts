/** Caddy on a machine that the hub reaches by SSH alone: its admin API and its switchboard both go through the connection. */
import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { openSshShell } from "../../packages/fed/src/adapter/adapters.ts";
import { findCaddys, startCaddy } from "../../packages/fed/src/adapter/caddy/caddy.scene.ts";
import { systemClock } from "../../packages/fed/src/base/clock.ts";
import { silentTrace } from "../../packages/fed/src/base/trace.ts";
import { ask, host, makeStage, startInstance } from "../../packages/fed/src/port/ingress.scene.ts";
import { startSshd, withoutSshd } from "./sshd.ts";

const never = new AbortController().signal;
const caddys = findCaddys();
const without =
  withoutSshd === "" && caddys.length === 0 ? " [skipped: caddy is not installed: apt-get install caddy]" : "";

describe.skipIf(withoutSshd + without !== "")(`over SSH${withoutSshd}${without}`, () => {
  test.each(caddys)("caddy $version switches, counts and drains", async (binary) => {
    const stage = makeStage();
    onTestFinished(() => stage.end());
    const caddy = await startCaddy(binary);
    stage.onEnd(() => caddy.stop());
    const sshd = await startSshd();
    const shell = openSshShell("web", {
      ...{ clock: systemClock, trace: silentTrace },
      login: async () => ({
        ...sshd.login("web"),
        keys: [{ from: sshd.key, text: readFileSync(sshd.key, "utf8") }],
      }),
      checkHostKey: () => ({ kind: "trusted" }),
    });
    stage.onEnd(() => shell.close());
    const ingress = caddy.open({ shell });
    const slow = await startInstance(stage, "slow", (_, response) => void response.write("data: 1\n\n"));
    await ingress.apply([host("api.localhost", slow)], never);
    const stream = ask(caddy.address, "api.localhost").catch(() => undefined);
    await expect.poll(async () => (await ingress.status(never)).inFlight).toEqual({ slow: 1 });
    for (let i = 1; i <= 10; i++) {
      const instance = await startInstance(stage, `i${i}`, (_, response) => void response.end(`i${i}`));
      expect(await ingress.apply([host("api.localhost", instance)], never)).toEqual({ generation: i + 1 });
      expect((await ask(caddy.address, "api.localhost")).body).toBe(`i${i}`);
    }
    expect(await ingress.drain("i9", 5_000, never)).toEqual({ kind: "drained" });
    await sshd.kill();
    await expect(ingress.status(never)).rejects.toMatchObject({ code: "unreachable" });
    expect((await ask(caddy.address, "api.localhost")).body, "Caddy goes on without the hub").toBe("i10");
    slow.server.closeAllConnections();
    await stream;
  });
});
