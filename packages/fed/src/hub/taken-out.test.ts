import { defineLab, image, server } from "@fed/lab";
import { expect, test } from "vitest";
import { live, makeWalkWorld, openLife, reference } from "./walk.scene.ts";

const others = {
  name: "walk",
  machines: { hub: server({ address: "local" }) },
  environments: { dev: { machines: ["hub"] } },
} as const;
const without = defineLab({ ...others, services: {} });
const withBase = defineLab({
  ...others,
  services: { base: { run: image(reference), port: 5432, stopGrace: "60s" } },
});

test.each(["the same hub", "the next hub"])(
  "%s gives what is taken out of the lab the time that its release says",
  async (who) => {
    using world = makeWalkWorld({ gate: "of the hub" });
    world.registry.publish(reference);
    let life = openLife(world, withBase);
    expect(await live(world, life, 60_000)).toBe(true);
    const isRunning = async () => (await world.all()).some(({ state }) => state === "running");
    expect(await isRunning()).toBe(true);
    if (who === "the next hub") {
      life.kill();
      life = openLife(world, without);
    } else life.take(without);
    // It does not end by itself when it is asked to.
    expect(await live(world, life, 29_000)).toBe(false);
    expect(await isRunning()).toBe(true);
    expect(await live(world, life, 60_000)).toBe(true);
    expect(await world.all()).toEqual([]);
    life.kill();
  },
);
