import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { systemClock } from "#base/clock.ts";
import { type EngineKind, startEngine, withoutEngine } from "#port/engine.scene.ts";
import { type ImageScene, imageCarrySuite, imageSuite } from "#port/image.suite.ts";
import { openDockerImages, openPodmanImages } from "./image.ts";
import { letIn, startRegistry, withoutRegistry } from "./registry.scene.ts";

const openers = { docker: openDockerImages, podman: openPodmanImages } as const;

for (const kind of ["docker", "podman"] as const) {
  const other = kind === "docker" ? "podman" : "docker";
  const missing = withoutRegistry() || withoutEngine(kind);
  const missingBoth = missing || withoutEngine(other);
  if (missing !== "") describe.skip(`images of ${kind}${missing}`, () => it("keep the contract", () => {}));
  else imageSuite(kind, () => openScene(kind, kind));
  const way = `${kind} to ${other}`;
  if (missingBoth !== "") describe.skip(`images carried from ${way}${missingBoth}`, () => it("arrive", () => {}));
  else imageCarrySuite(way, () => openScene(kind, other));
}

/** One machine with the first engine, one with the second. */
async function openScene(here: EngineKind, there: EngineKind): Promise<ImageScene> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const registry = await startRegistry();
    closers.push(registry.close);
    const [store, other] = await Promise.all(
      [here, there].map(async (kind) => {
        const engine = await startEngine(kind);
        closers.push(engine.close);
        letIn(engine, registry.address);
        return { engine, images: openers[kind]({ socket: { kind: "unix", path: engine.socket }, clock: systemClock }) };
      }),
    );
    if (!store || !other) throw new Error("no engines");
    return {
      store: store.images,
      other: other.images,
      registry,
      absentRegistry: "127.0.0.1:1",
      async hold(id) {
        const name = `hold-${id.slice(7, 19)}`;
        store.engine.run("create", "--name", name, id, "/none");
        return async () => void store.engine.run("rm", name);
      },
      async unpack(id) {
        const name = `unpack-${id.slice(7, 19)}`;
        // By the name that we keep it under: a store of another kind knows it by no other.
        other.engine.run("create", "--name", name, `localhost/fed:${id.slice("sha256:".length)}`, "/none");
        const file = join(other.engine.folder, `${name}.tar`);
        other.engine.run("export", "-o", file, name);
        other.engine.run("rm", name);
        return readFileSync(file, "latin1");
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
