import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { host, makeStage, never, type Stage, stop } from "#port/ingress.scene.ts";
import { findCaddys, startCaddy } from "./caddy.scene.ts";
import { openTalk, startCounting, startLoad } from "./load.scene.ts";

const switches = 50;
const caddys = findCaddys();
let stage: Stage;
beforeEach(() => {
  stage = makeStage();
});
afterEach(() => stage.end());

if (caddys.length === 0) {
  describe("without Caddy", () => {
    test.skip("50 switches: there is no caddy on this machine, and none could be fetched", () => {});
  });
}

describe.each(caddys)("caddy $version", (binary) => {
  test(`${switches} switches under load lose no request and no WebSocket`, async () => {
    const caddy = await startCaddy(binary);
    stage.onEnd(() => caddy.stop());
    const ingress = caddy.open();
    const { host: name, port } = caddy.address;
    const steady = await startCounting(stage, "1000");
    let current = await startCounting(stage, "0");
    const route = () => ingress.apply([host(name, current), host("localhost", steady)], never);
    await route();
    const lasting = await openTalk(stage, `ws://localhost:${port}/`);
    const load = startLoad(stage, caddy.address, name);
    for (let i = 1; i <= switches; i++) {
      const old = current;
      const talk = await openTalk(stage, `ws://${name}:${port}/`);
      expect(await talk.say("before")).toBe("before");
      current = await startCounting(stage, String(i));
      await route();
      load.newest = i;
      const drained = ingress.drain(old.instance, 10_000, never);
      expect(await talk.say("after")).toBe("after");
      await talk.close();
      expect(await drained).toEqual({ kind: "drained" });
      await stop(old.server);
      expect(await lasting.say(`still ${i}`)).toBe(`still ${i}`);
    }
    await load.stop();
    expect(Object.fromEntries(load.wrong)).toEqual({});
    expect(load.requests).toBeGreaterThan(switches * 20);
    process.stdout.write(`caddy ${binary.version}: ${load.requests} requests over ${switches} switches, none lost\n`);
  }, 300_000);
});
