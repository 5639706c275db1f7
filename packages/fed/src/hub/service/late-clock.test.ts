import { defineLab, image, type LabDocument, server } from "@fed/lab";
import { expect, test } from "vitest";
import { makeScene } from "#hub/deployment.scene.ts";
import { makeFakeRuntime } from "#port/runtime.fake.ts";

const lab = defineLab({
  name: "ocean",
  machines: { hub: server({ address: "local" }), node5: server({ address: "10.0.0.5" }) },
  environments: { dev: { machines: ["hub", "node5"] } },
  services: { web: { run: image("web:1"), on: "node5" } },
}) as LabDocument;

test("what only crashes is given up, also on a machine whose clock is late", async () => {
  await using scene = makeScene();
  const { clock, machine, pass } = scene;
  const late = { ...clock, nowMs: () => clock.nowMs() - 60 * 60_000 };
  machine("node5").runtime = makeFakeRuntime({ clock: late, workloads: ["image"] });
  await scene.begin(lab);
  const stateOf = () => scene.hub.control.status().find(({ service }) => service === "web")?.state;
  for (let crashed = 0; crashed < 20; crashed++) {
    await pass(35_000);
    const newest = machine("node5").runtime.started.at(-1);
    if (newest === undefined || stateOf() === "gave up") break;
    machine("node5").runtime.crash(newest.id);
  }
  await pass(1_000);
  expect(stateOf()).toBe("gave up");
  expect(machine("node5").runtime.started.length).toBe(8);
});
